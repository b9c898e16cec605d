//! Passkeys (Web Authentication Level 3): a second factor beside a password, or all there is.
//!
//! Each ceremony is two steps. The first gives options for the browser and a state that the server
//! keeps for some minutes and uses once; the second takes that state and the browser's answer.
//! Options and answers are the JSON of `PublicKeyCredential.parseCreationOptionsFromJSON()`,
//! `parseRequestOptionsFromJSON()` and `toJSON()`.
//!
//! A passkey always has to verify its user, by finger, face or PIN, and always can be found without
//! a name, so each one is good for both uses and is two factors by itself. What cannot do that, as
//! old U2F keys, is not taken.
//!
//! The challenges come from `webauthn-rs`, which draws them from the thread's generator, seeded by
//! the operating system; it takes none from elsewhere. It also reads the clock, for the validity
//! of attestation certificates, which are not asked for here.

use serde_json::Value;
use uuid::Uuid;
use webauthn_rs::prelude::{
    AuthenticationResult, Credential, PublicKeyCredential, RegisterPublicKeyCredential, Url,
    WebauthnError,
};
use webauthn_rs::{Webauthn, WebauthnBuilder, prelude};

use crate::assurance::Method;

mod state;

pub use state::{PasskeyLogin, PasskeyRegistration, PasskeySecondFactor};

/// The most bytes of an answer; attestations that nobody asked for can be long.
const MOST_BYTES: usize = 65_536;

/// The site that passkeys are made for.
#[derive(Debug)]
pub struct RelyingParty(Webauthn);

/// Why a site's name and addresses do not go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelyingPartyError {
    /// No address at all.
    #[error("passkeys need the address of at least one page")]
    NoOrigin,
    /// Not `https://host` or `http://localhost`, with a port or without.
    #[error("{0} is not the origin of a page that may use passkeys, as in https://example.org")]
    Origin(String),
    /// The domain of passkeys is neither the page's host nor a part of it.
    #[error("{origin} is not below the domain of passkeys, {id}")]
    NotBelow {
        /// The page.
        origin: String,
        /// The domain.
        id: String,
    },
}

/// Why a ceremony did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// What the browser sent is no such answer.
    #[error("the answer of the passkey is malformed")]
    Malformed,
    /// It is not good: another challenge, site, user or key, a wrong signature, or no verification
    /// of the user.
    #[error("the passkey is not accepted")]
    Refused,
    /// It is good, but its counter stands where it stood or lower: somebody may have a copy of the
    /// key. Not to be let in; to be told to the owner.
    #[error("the passkey may have been copied")]
    Cloned,
    /// A stored passkey, state or name cannot be used; a fault of the installation.
    #[error("a stored passkey or state cannot be used")]
    Stored,
}

/// Whom a new passkey is for.
#[derive(Clone, Copy, Debug)]
pub struct PasskeyOwner<'a> {
    /// The account; the passkey keeps it, and tells it at a login without a name.
    pub user: Uuid,
    /// To be shown by the browser; mostly the address.
    pub name: &'a str,
    /// To be shown by the browser.
    pub display_name: &'a str,
}

/// The id of a passkey: at most 1023 bytes, written as base64url.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PasskeyId(prelude::CredentialID);

/// A passkey as it is stored: its id, public key, counter and flags. It holds no secret.
#[derive(Clone, Debug)]
pub struct Passkey(prelude::Passkey);

/// Somebody has a passkey of a user, and was verified by it.
#[derive(Debug)]
pub struct PasskeyProof {
    /// Whose.
    pub user: Uuid,
    /// As it is now; to be stored again if `is_changed`.
    pub passkey: Passkey,
    /// Whether its counter or flags are others than before.
    pub is_changed: bool,
}

impl RelyingParty {
    /// The site's name to show, the domain that passkeys are bound to for good, and the origins of
    /// the pages that may use them.
    pub fn new(name: &str, id: &str, origins: &[&str]) -> Result<Self, RelyingPartyError> {
        let parsed: Result<Vec<Url>, _> = origins.iter().map(|text| origin(text, id)).collect();
        let parsed = parsed?;
        let (first, others) = parsed.split_first().ok_or(RelyingPartyError::NoOrigin)?;
        let not_below = |_| RelyingPartyError::NotBelow {
            origin: first.to_string(),
            id: id.to_owned(),
        };
        let builder = WebauthnBuilder::new(id, first).map_err(not_below)?;
        let builder = others.iter().fold(
            builder.rp_name(name),
            WebauthnBuilder::append_allowed_origin,
        );
        Ok(Self(builder.build().map_err(not_below)?))
    }

    /// Begins to make a passkey; `existing` are the owner's others, so that none is made twice on
    /// one device. Gives the options of `navigator.credentials.create()`.
    pub fn start_registration(
        &self,
        owner: PasskeyOwner<'_>,
        existing: &[Passkey],
    ) -> Result<(Value, PasskeyRegistration), PasskeyError> {
        let exclude = existing.iter().map(|key| key.0.cred_id().clone()).collect();
        let (options, state) = self
            .0
            .start_passkey_registration(owner.user, owner.name, owner.display_name, Some(exclude))
            .map_err(|_| PasskeyError::Stored)?;
        let mut options = serde_json::to_value(options).map_err(|_| PasskeyError::Stored)?;
        // The library discourages it, for keys with little room; without it a browser may make one
        // that no login without a name finds.
        let selection = &mut options["publicKey"]["authenticatorSelection"];
        selection["residentKey"] = "required".into();
        selection["requireResidentKey"] = true.into();
        Ok((options, PasskeyRegistration::new(owner.user, state)))
    }

    /// Takes what the browser made. The passkey is to be stored for
    /// [`PasskeyRegistration::user`], unless somebody has one of the same id.
    pub fn finish_registration(
        &self,
        state: &PasskeyRegistration,
        answer: &str,
    ) -> Result<Passkey, PasskeyError> {
        let answer: RegisterPublicKeyCredential = read(answer)?;
        self.0
            .finish_passkey_registration(&answer, state.inner())
            .map(Passkey)
            .map_err(|error| refusal(&error))
    }

    /// Begins to ask a known user for a passkey, as a second factor or to be sure again. Gives the
    /// options of `navigator.credentials.get()`.
    pub fn start_second_factor(
        &self,
        user: Uuid,
        passkeys: &[Passkey],
    ) -> Result<(Value, PasskeySecondFactor), PasskeyError> {
        let passkeys: Vec<_> = passkeys.iter().map(|key| key.0.clone()).collect();
        let (options, state) = self
            .0
            .start_passkey_authentication(&passkeys)
            .map_err(|_| PasskeyError::Stored)?;
        let options = serde_json::to_value(options).map_err(|_| PasskeyError::Stored)?;
        Ok((options, PasskeySecondFactor::new(user, state)))
    }

    /// Judges the answer; `passkeys` are the user's as they are stored now, so one that was
    /// deleted or used meanwhile is judged as it is.
    pub fn finish_second_factor(
        &self,
        state: &PasskeySecondFactor,
        answer: &str,
        passkeys: &[Passkey],
    ) -> Result<PasskeyProof, PasskeyError> {
        let answer: PublicKeyCredential = read(answer)?;
        // Web Authentication §7.2, step 6: a user handle may be missing here, but not another's.
        let named = answer.get_user_unique_id();
        if named.is_some_and(|handle| handle != state.user().as_bytes()) {
            return Err(PasskeyError::Refused);
        }
        let known = |key: &&Passkey| key.0.cred_id().as_slice() == answer.get_credential_id();
        let passkey = passkeys.iter().find(known).ok_or(PasskeyError::Refused)?;
        let result = self
            .0
            .finish_passkey_authentication(&answer, state.inner())
            .map_err(|error| refusal(&error))?;
        proof(state.user(), passkey, &result)
    }

    /// Begins a login without a name. Gives the options of `navigator.credentials.get()`; a page
    /// that shows passkeys in the suggestions of a field adds `mediation: "conditional"`.
    pub fn start_login(&self) -> Result<(Value, PasskeyLogin), PasskeyError> {
        let (mut options, state) = self
            .0
            .start_discoverable_authentication()
            .map_err(|_| PasskeyError::Stored)?;
        options.mediation = None;
        let options = serde_json::to_value(options).map_err(|_| PasskeyError::Stored)?;
        Ok((options, PasskeyLogin::new(state)))
    }

    /// Whose passkey an answer claims to be of, to look both up; nothing is proven yet.
    pub fn claimed(&self, answer: &str) -> Result<(Uuid, PasskeyId), PasskeyError> {
        let answer: PublicKeyCredential = read(answer)?;
        self.0
            .identify_discoverable_authentication(&answer)
            .map(|(user, id)| (user, PasskeyId(id.to_vec())))
            .map_err(|_| PasskeyError::Malformed)
    }

    /// Judges the answer by the passkey that was stored for that user under that id.
    pub fn finish_login(
        &self,
        state: PasskeyLogin,
        answer: &str,
        user: Uuid,
        passkey: &Passkey,
    ) -> Result<PasskeyProof, PasskeyError> {
        let answer: PublicKeyCredential = read(answer)?;
        if answer.get_user_unique_id() != Some(user.as_bytes().as_slice()) {
            return Err(PasskeyError::Refused);
        }
        let result = self
            .0
            .finish_discoverable_authentication_v2(&answer, state.into_inner(), &passkey.0)
            .map_err(|error| refusal(&error))?;
        proof(user, passkey, &result)
    }
}

impl Passkey {
    /// Takes one out of the database.
    pub fn from_stored(text: &str) -> Result<Self, PasskeyError> {
        serde_json::from_str(text)
            .map(Self)
            .map_err(|_| PasskeyError::Stored)
    }

    /// For the database: JSON, some hundred bytes to some thousand.
    pub fn to_stored(&self) -> Result<String, PasskeyError> {
        serde_json::to_string(&self.0).map_err(|_| PasskeyError::Stored)
    }

    /// Its id, of which there is one in the world.
    #[must_use]
    pub fn id(&self) -> PasskeyId {
        PasskeyId(self.0.cred_id().clone())
    }

    /// Whether its maker may copy it to other devices.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.credential().backup_eligible
    }

    /// Whether there is a copy of it, so that a lost device is no lost passkey.
    #[must_use]
    pub fn is_backed_up(&self) -> bool {
        self.credential().backup_state
    }

    /// How often it was used, where it counts that; 0 where it does not.
    #[must_use]
    pub fn counter(&self) -> u32 {
        self.credential().counter
    }

    /// What it proves.
    #[must_use]
    pub fn method(&self) -> Method {
        Method::Passkey {
            synced: self.is_synced(),
        }
    }

    fn credential(&self) -> Credential {
        self.0.clone().into()
    }
}

impl PasskeyId {
    /// Base64url without padding, as browsers write it; at most 1364 characters.
    #[must_use]
    pub fn to_text(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.0.as_slice())
    }
}

/// Web Authentication §5.1.3: `https`, or `localhost` for who develops.
fn origin(text: &str, id: &str) -> Result<Url, RelyingPartyError> {
    let wrong = || RelyingPartyError::Origin(text.to_owned());
    let url = Url::parse(text).map_err(|_| wrong())?;
    let host = url.domain().ok_or_else(wrong)?;
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && host == "localhost");
    // No user, path or query: an origin is scheme, host and port.
    let is_origin = url.origin().ascii_serialization() == text.trim_end_matches('/');
    if !is_safe || !is_origin {
        return Err(wrong());
    }
    let is_below = host == id
        || host
            .strip_suffix(id)
            .is_some_and(|rest| rest.ends_with('.'));
    match is_below && !id.is_empty() {
        true => Ok(url),
        false => Err(RelyingPartyError::NotBelow {
            origin: text.to_owned(),
            id: id.to_owned(),
        }),
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &str) -> Result<T, PasskeyError> {
    if answer.len() > MOST_BYTES {
        return Err(PasskeyError::Malformed);
    }
    serde_json::from_str(answer).map_err(|_| PasskeyError::Malformed)
}

fn refusal(error: &WebauthnError) -> PasskeyError {
    match error {
        WebauthnError::CredentialPossibleCompromise => PasskeyError::Cloned,
        _ => PasskeyError::Refused,
    }
}

/// The passkey as it stands after a login that was good.
fn proof(
    user: Uuid,
    passkey: &Passkey,
    result: &AuthenticationResult,
) -> Result<PasskeyProof, PasskeyError> {
    // The library asks for it already; nothing here is worth more than this flag.
    if !result.user_verified() {
        return Err(PasskeyError::Refused);
    }
    // Again, because the state's copy of the passkey may be older than the one that is stored.
    let counts = result.counter() > 0 || passkey.counter() > 0;
    if counts && result.counter() <= passkey.counter() {
        return Err(PasskeyError::Cloned);
    }
    let mut passkey = passkey.clone();
    let is_changed = passkey
        .0
        .update_credential(result)
        .ok_or(PasskeyError::Refused)?;
    Ok(PasskeyProof {
        user,
        passkey,
        is_changed,
    })
}
