//! Bars of a mint: one per draw under way.

use super::{duration, style};
use aar_worlds::mint::MintEvent;
use indicatif::{MultiProgress, ProgressBar};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Bars on stderr; draws that ended stay as lines.
pub struct MintBars {
    bars: MultiProgress,
    open: Mutex<BTreeMap<u32, ProgressBar>>,
    quiet: bool,
}

impl MintBars {
    /// None yet.
    pub fn new(quiet: bool) -> Self {
        Self { bars: MultiProgress::new(), open: Mutex::new(BTreeMap::new()), quiet }
    }

    /// Show an event; called from several threads.
    pub fn show(&self, event: &MintEvent) {
        let Ok(mut open) = self.open.lock() else {
            return;
        };
        match event {
            _ if self.quiet => {}
            MintEvent::Progress { attempt, what, done, total } => {
                let bar = open.entry(*attempt).or_insert_with(|| {
                    let bar = self.bars.add(ProgressBar::new(*total as u64));
                    bar.set_style(style("  {prefix:8} {bar:24} {elapsed} of about {duration}  {msg}"));
                    bar.set_prefix(format!("draw {attempt}"));
                    bar.enable_steady_tick(std::time::Duration::from_millis(500));
                    bar
                });
                bar.set_length(*total as u64);
                bar.set_position(*done as u64);
                bar.set_message(*what);
            }
            MintEvent::Ended(attempt) => {
                if let Some(bar) = open.remove(&attempt.attempt) {
                    bar.finish_and_clear();
                }
                let line =
                    format!("  draw {}  {} after {}", attempt.attempt, attempt.outcome, duration(attempt.wall_s));
                self.bars.suspend(|| aar_lab::note!("{line}"));
            }
        }
    }

    /// Take the bars away.
    pub fn finish(&self) {
        // A bar that fails to clear is no reason to fail.
        let _ = self.bars.clear();
    }
}
