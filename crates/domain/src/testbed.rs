//! `testbed.json`: what is on record of a testbed, and may be known by everybody.

use crate::rung::Split;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The newest format of a testbed directory.
pub const TESTBED_FORMAT: u32 = 1;

/// The record of a testbed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestbedRecord {
    /// [`TESTBED_FORMAT`] when it was made.
    pub format: u32,
    /// What people call it, for instance `harbour`.
    pub name: String,
    /// `chat`, `math` or `code`.
    pub subject: String,
    /// Where it came from.
    pub origin: Origin,
    /// True where anybody can read the truth (a world that ships): no verdict but "demonstration".
    pub truth_public: bool,
    /// Rows of the pool.
    pub pool_rows: usize,
    /// Sizes and baselines per split.
    pub splits: BTreeMap<Split, SplitRecord>,
    /// Measured bounds (`aar mint --check`), by name.
    #[serde(default)]
    pub checks: Vec<Check>,
}

/// Where a testbed came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Origin {
    /// Minted from a secret.
    Minted {
        /// Hash of the generator's declared settings and version.
        generator: String,
        /// SHA-256 of the secret, hex.
        commitment: String,
        /// The mechanism that was drawn, as text for people.
        mechanism: String,
        /// Draws that were made, this one included.
        attempts: u32,
        /// Its models as text for people, where they are not the subject's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        models: Option<String>,
    },
    /// Imported from files.
    Imported {
        /// SHA-256 of the files in order, hex.
        digest: String,
        /// The settings of the import, as text for people.
        note: String,
    },
}

/// A mechanism's text without how strong its cue is, which stands after a colon.
pub fn kind_of(mechanism: &str) -> &str {
    mechanism.split(':').next().unwrap_or_default()
}

/// Sizes and baselines of one split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitRecord {
    /// Test items.
    pub items: usize,
    /// Clusters of items.
    pub clusters: usize,
    /// Items in distribution; the rest is out of it. `None` where the testbed has no such parts.
    pub in_distribution: Option<usize>,
    /// The teacher's accuracy over its frozen seeds.
    pub weak: Baseline,
    /// The student's accuracy after training on the truth, over its frozen seeds.
    pub ceiling: Baseline,
}

/// Mean accuracy over frozen seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Mean accuracy.
    pub mean: f64,
    /// Standard error of the mean over seeds.
    pub se: f64,
    /// Number of seeds.
    pub seeds: usize,
}

/// One measured bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What was measured.
    pub name: String,
    /// The value.
    pub value: f64,
    /// Lowest and highest allowed; `None` where that side is open.
    pub bounds: (Option<f64>, Option<f64>),
    /// Reported only: never decides.
    #[serde(default)]
    pub report_only: bool,
}

impl Check {
    /// Whether the value lies within its bounds.
    pub fn holds(&self) -> bool {
        let (low, high) = self.bounds;
        self.report_only || (low.is_none_or(|low| self.value >= low) && high.is_none_or(|high| self.value <= high))
    }
}
