//! What is done once a minute: what is past its time is deleted, and new keys are noticed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::App;
use crate::app::State;
use crate::oauth2::registration;

/// From one time to the next. What has expired is not shown in between either.
const EVERY: Duration = Duration::from_mins(1);

/// The job, as long as the server runs.
pub(crate) struct Purge {
    job: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Purge {
    /// Begins.
    pub(crate) fn start(app: &App) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let state = Arc::clone(&app.0);
        let job = tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(EVERY) => once(&state).await,
                    _ = stopped.changed() => return,
                }
            }
        });
        Self { job, stop }
    }

    /// Finishes what is under way, and no more.
    pub(crate) async fn stop(self) {
        // Nobody listens when the job has ended already.
        let _ = self.stop.send(true);
        let _ = self.job.await;
    }
}

/// Deletes what is past its time now; a table that cannot be purged does not keep the others.
async fn once(state: &State) {
    let compiled = state.compiled.load();
    for (table, step) in compiled.api.purge_steps(state.clock.now()) {
        match state.db.write(vec![step]).await {
            Ok(outcomes) => {
                let rows = outcomes.first().map_or(0, |outcome| outcome.affected);
                if rows > 0 {
                    tracing::info!(%table, rows, "expired rows were purged");
                }
            }
            Err(error) => {
                let error = error.without_values();
                tracing::warn!(%table, error, "expired rows cannot be purged");
            }
        }
    }
    let own = [
        ("tickets", store::tickets::purge(&state.store).await),
        ("devices", store::devices::purge(&state.store).await),
        ("grants", store::grants::purge(&state.store).await),
        ("mails", store::mails::purge(&state.store).await),
        ("invitations", store::invitations::purge(&state.store).await),
    ];
    if let Err(error) = registration::purge(state).await {
        tracing::warn!(%error, "clients that nobody uses cannot be purged");
    }
    for (what, purged) in own {
        if let Err(error) = purged {
            tracing::warn!(%error, what, "what is of no use any more cannot be purged");
        }
    }
    if let Err(error) = store::kept_answers::purge(&state.store).await {
        tracing::warn!(%error, "kept answers cannot be purged");
    }
    if let Err(error) = state.moments.purge().await {
        tracing::warn!(%error, "short-lived state cannot be purged");
    }
    // Another process, or the shell, may have replaced the keys that sign.
    if let Err(refusal) = state.newer_keys().await {
        tracing::warn!(error = refusal.message, "signing keys cannot be looked at");
    }
    let idle = state.settings.identity.session_idle;
    if let Err(error) = store::sessions::purge(&state.store, idle).await {
        tracing::warn!(%error, "sessions cannot be purged");
    }
}
