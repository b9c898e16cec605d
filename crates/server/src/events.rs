//! What happens to accounts, told to hook files and webhooks: in the event's own unit, or through
//! the outbox.

mod deliver;
mod egress;
mod logout;
mod send;
mod webhook;

use rest::{Event, Happened, Hooks, Mode, Moment, Occurrence, Person};
use sql::Step;
use store::users::{NewUser, User};
use store::{Store, deliveries, hook_runs};

use crate::traces;

pub(crate) use deliver::{Deliveries, Failed, after};
pub use egress::{Network, NetworkError};
pub use webhook::{Retries, Webhook, WebhookUrl, WebhookUrlError, Webhooks};

/// Who is told of events.
#[derive(Clone, Copy)]
pub struct Announcer<'a> {
    /// Where the outbox is.
    pub store: &'a Store,
    /// The hook files.
    pub hooks: &'a Hooks,
    /// The webhooks.
    pub webhooks: &'a [Webhook],
}

impl Announcer<'_> {
    /// The steps that tell of an event, to be added to its unit: those of a hook file that runs
    /// with it, and a row of the outbox for everybody else.
    #[must_use]
    pub fn steps(&self, person: &Person, happened: Happened) -> Vec<Step> {
        let now = self.store.clock.now();
        let told = Occurrence::new(self.new_id(), now, person, happened);
        let mut unit = self.marks(&told);
        unit.extend(self.hook_steps(&told));
        let webhooks = self.webhooks.iter();
        for webhook in webhooks.filter(|webhook| webhook.events.contains(&told.event)) {
            unit.push(self.outbox_step(&told, &webhook.target()));
        }
        unit
    }

    /// The steps that tell the event's hook file alone, as if the event happened now to an account
    /// that is there already; `None` for an event that cannot be caught up on, or without a file.
    #[must_use]
    pub fn backfill_steps(&self, event: Event, user: &User) -> Option<Vec<Step>> {
        let (happened, at) = match event {
            Event::UserRegistered => (Happened::UserRegistered { fields: None }, user.created_at),
            Event::UserConfirmed => (Happened::UserConfirmed, user.email_verified_at?),
            Event::UserDeleted
            | Event::Login
            | Event::PasswordChanged
            | Event::EmailChanged
            | Event::RolesChanged
            | Event::BeforeToken => return None,
        };
        self.hooks.of(event)?;
        let told = Occurrence::new(self.new_id(), at, &person(user), happened);
        // Of two who catch up at once, one fails here.
        let mut unit = vec![hook_runs::mark_step(self.store, user.id, event.name())];
        unit.extend(self.hook_steps(&told));
        Some(unit)
    }

    /// The steps that say for whom the event's file has run; it may run for the same account again:
    /// who has another address confirms it.
    fn marks(&self, told: &Occurrence) -> Vec<Step> {
        let is_kept = told.event.has_backfill() && self.hooks.of(told.event).is_some();
        match (is_kept, told.user()) {
            (true, Some(user)) => vec![
                hook_runs::unmark_step(self.store, user, told.event.name()),
                hook_runs::mark_step(self.store, user, told.event.name()),
            ],
            _ => Vec::new(),
        }
    }

    fn new_id(&self) -> uuid::Uuid {
        stdx::new_id(&self.store.clock, &self.store.rng)
    }

    fn hook_steps(&self, told: &Occurrence) -> Vec<Step> {
        let Some(hook) = self.hooks.of(told.event) else {
            return Vec::new();
        };
        match hook.mode {
            Mode::Transaction => {
                let moment = Moment {
                    now: self.store.clock.now(),
                    clock: &self.store.clock,
                    rng: &self.store.rng,
                };
                let steps = hook.steps(told, told.id, moment);
                // They run in the unit of the event, whose span is beside this one.
                drop(traces::of_hook(told.event.name(), steps.len()));
                steps
            }
            Mode::Outbox => vec![self.outbox_step(told, &told.event.path())],
        }
    }

    fn outbox_step(&self, told: &Occurrence, target: &str) -> Step {
        let (event, message) = (told.event.name(), told.message());
        deliveries::insert_step(self.store, told.id, event, target, &message)
    }
}

/// An account as events tell of it.
#[must_use]
pub fn person(user: &User) -> Person {
    let (name, email) = (user.username.as_deref(), user.email.as_str());
    Person {
        user_id: user.id,
        email: email.to_owned(),
        username: user.username.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        display_name: Person::shown_as(user.display_name.as_deref(), name, email),
    }
}

/// An account that is about to be made, as events tell of it.
pub(crate) fn new_person(user: &NewUser) -> Person {
    let username = user.username.as_ref().map(ToString::to_string);
    let email = user.email.as_str();
    Person {
        user_id: user.id,
        email: email.to_owned(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        display_name: Person::shown_as(user.display_name.as_deref(), username.as_deref(), email),
        username,
    }
}
