//! The bar of an import.

use super::style;
use aar_worlds::import::ImportEvent;
use indicatif::ProgressBar;

/// One bar on stderr, first for embedding, then for the frozen runs.
pub struct ImportBar {
    bar: ProgressBar,
    quiet: bool,
    stage: u8,
}

impl ImportBar {
    /// Not shown yet.
    pub fn new(quiet: bool) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
        bar.set_style(style("  {msg:28} {bar:24} {pos}/{len}, {eta} left"));
        Self { bar, quiet, stage: 0 }
    }

    /// Show an event.
    pub fn show(&mut self, event: &ImportEvent) {
        let line = |text: String| {
            if !self.quiet {
                self.bar.suspend(|| aar_lab::note!("{text}"))
            }
        };
        match event {
            ImportEvent::Read(labelled, pool, test) => {
                line(format!("read {labelled} labelled, {pool} pool and {test} test rows"));
                self.bar.set_message("embedding, once");
            }
            ImportEvent::Embedded(done, total) => self.at(1, *done, *total),
            ImportEvent::Baselines(done, total) => {
                self.bar.set_message("weak and ceiling, 16 seeds");
                self.at(2, *done, *total);
            }
            ImportEvent::Gap(weak, ceiling, low) => {
                line(format!("weak {weak:.3}, ceiling {ceiling:.3}; the gap is at least {low:.3}"));
            }
        }
    }

    fn at(&mut self, stage: u8, done: usize, total: usize) {
        if self.stage != stage {
            self.stage = stage;
            self.bar.reset();
        }
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
    }

    /// Take it away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
