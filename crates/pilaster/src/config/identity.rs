//! How accounts behave, as typed values.

use std::time::Duration;

use server::{
    AdministrationSettings, Assurance, IdentitySettings, MomentsPlace, PasswordMode, Rate, Throttle,
};
use stdx::Secret;

use super::Configuration;
use super::settings::{duration, list, number};
use crate::failure::Outcome;

/// The longest life of a session.
const LONGEST_LIFE: Duration = Duration::from_hours(24 * 400);

pub(super) fn identity(configuration: &Configuration) -> Outcome<IdentitySettings> {
    let password_mode = match configuration.text("auth.password_mode") {
        "opaque" => PasswordMode::Opaque,
        "hash" => PasswordMode::Hash,
        _ => return Err(configuration.ill_typed("auth.password_mode", "opaque or hash")),
    };
    Ok(IdentitySettings {
        password_mode,
        session_idle: life(configuration, "auth.session_idle")?,
        session_life: life(configuration, "auth.session_life")?,
        throttle: throttle(configuration)?,
        moments: moments(configuration)?,
        administration: administration(configuration)?,
        api_key_rate: api_key_rate(configuration)?,
    })
}

fn life(configuration: &Configuration, name: &str) -> Outcome<Duration> {
    let life = duration(configuration, name)?;
    match life.is_zero() || life > LONGEST_LIFE {
        true => Err(configuration.ill_typed(name, "a duration of at most 400d")),
        false => Ok(life),
    }
}

fn throttle(configuration: &Configuration) -> Outcome<Throttle> {
    let attempts = |name: &str| match number(configuration, name)? {
        0 => Err(configuration.ill_typed(name, "a whole number from 1")),
        number => Ok(number),
    };
    let pause = |name: &str| {
        let pause = duration(configuration, name)?;
        match pause.is_zero() || pause > Duration::from_hours(24) {
            true => Err(configuration.ill_typed(name, "a duration of at most 24h")),
            false => Ok(pause),
        }
    };
    Ok(Throttle {
        login_attempts: attempts("auth.login_attempts")?,
        address_attempts: attempts("auth.address_attempts")?,
        factor_attempts: attempts("auth.factor_attempts")?,
        first_pause: pause("auth.first_pause")?,
        longest_pause: pause("auth.longest_pause")?,
    })
}

fn administration(configuration: &Configuration) -> Outcome<AdministrationSettings> {
    let acr = Assurance::from_acr(configuration.text("auth.admin_acr"));
    let acr = acr.filter(|acr| *acr != Assurance::Nothing);
    Ok(AdministrationSettings {
        acr: acr.ok_or_else(|| configuration.ill_typed("auth.admin_acr", "single, mfa or phr"))?,
        protected_roles: list(configuration, "auth.protected_roles"),
    })
}

fn api_key_rate(configuration: &Configuration) -> Outcome<Option<Rate>> {
    match configuration.text("auth.api_key_rate") {
        "off" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            configuration.ill_typed("auth.api_key_rate", "a rate, as 600/min or 10/s, or off")
        }),
    }
}

fn moments(configuration: &Configuration) -> Outcome<MomentsPlace> {
    let url = configuration.text("redis.url");
    match configuration.text("auth.moments") {
        "auto" if !url.is_empty() => Ok(MomentsPlace::Redis {
            url: Secret::new(url.to_owned()),
            prefix: configuration.text("redis.prefix").to_owned(),
        }),
        "auto" | "database" => Ok(MomentsPlace::Database),
        "memory" => Ok(MomentsPlace::Memory),
        _ => Err(configuration.ill_typed("auth.moments", "auto, database or memory")),
    }
}

/// An address of Redis for showing: whom it names is masked.
pub(super) fn masked_redis(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}://***@{place}"),
        _ => text.to_owned(),
    }
}
