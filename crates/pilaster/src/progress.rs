//! Long work in a terminal: a bar that moves with the steps and a clock that runs within one.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use schema::Progress;

/// A bar on standard error; nothing where that is no terminal.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{prefix} [{bar:24}] {pos}/{len} {elapsed} {msg}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    /// A statement of a migration begins.
    pub(crate) fn show(&mut self, progress: Progress<'_>) {
        tracing::debug!(
            migration = progress.migration,
            operation = progress.operation,
            "migrating"
        );
        self.step(
            progress.migration,
            progress.step.saturating_sub(1),
            progress.of,
            progress.operation,
        );
    }

    /// So many of so many parts of a work are done; `now` is being done.
    pub(crate) fn step(&mut self, work: &str, done: usize, of: usize, now: &str) {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.0.set_length(number(of));
        self.0.set_position(number(done));
        self.0.set_prefix(work.to_owned());
        self.0.set_message(now.to_owned());
        self.0.enable_steady_tick(Duration::from_millis(200));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
