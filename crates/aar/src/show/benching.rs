//! The bar of a bench.

use super::style;
use aar_worlds::bench::BenchEvent;
use aar_worlds::bench::results::Outcome;
use indicatif::ProgressBar;

/// One bar on stderr; failed runs are lines above it.
pub struct BenchBar {
    bar: ProgressBar,
    quiet: bool,
}

impl BenchBar {
    /// Not shown yet.
    pub fn new(quiet: bool) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
        bar.set_style(style("  {bar:24} {pos}/{len} runs, {eta} left  {msg}"));
        Self { bar, quiet }
    }

    /// Show an event.
    pub fn show(&self, event: &BenchEvent) {
        match event {
            BenchEvent::Planned(all, done) => {
                self.bar.set_length(*all as u64);
                self.bar.set_position(*done as u64);
                self.bar.reset_eta();
            }
            BenchEvent::Ended(ran) => {
                let what = format!("{} on {}, seed {}", ran.recipe_file, ran.testbed_name, ran.key.seed);
                if let (Outcome::Failed(why), false) = (&ran.outcome, self.quiet) {
                    self.bar.suspend(|| aar_lab::note!("{what} failed: {why}"));
                }
                self.bar.set_message(what);
                self.bar.inc(1);
            }
        }
    }

    /// Take it away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
