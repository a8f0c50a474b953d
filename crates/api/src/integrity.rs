//! Verdicts on bundles, what an operator rules about them, who looked where there was nothing to see, what an author had been told.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What looks at bundles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Its answers are an earlier bundle's.
    NearDuplicate,
    /// Its answers on the pool are more right than teacher and student can explain.
    LabelProvenance,
    /// It is right about a truth that nobody could know.
    PermutedTwin,
    /// It opened what looks like labels and is none.
    Decoy,
    /// What its card says is not what its recipe does.
    MethodCard,
    /// What is left of it without the teacher's labels.
    TeacherReliance,
    /// What is left of it on a student that knows nothing.
    StudentReliance,
    /// How often it answers as this data's shortcuts do.
    Shortcuts,
}

impl Check {
    /// All of them.
    pub const ALL: [Check; 8] = [
        Check::NearDuplicate,
        Check::LabelProvenance,
        Check::PermutedTwin,
        Check::Decoy,
        Check::MethodCard,
        Check::TeacherReliance,
        Check::StudentReliance,
        Check::Shortcuts,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Check::NearDuplicate => "near-duplicate",
            Check::LabelProvenance => "label-provenance",
            Check::PermutedTwin => "permuted-twin",
            Check::Decoy => "decoy",
            Check::MethodCard => "method-card",
            Check::TeacherReliance => "teacher-reliance",
            Check::StudentReliance => "student-reliance",
            Check::Shortcuts => "shortcuts",
        }
    }
}

/// What follows from a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Bearing {
    /// It shows a leak: the bundle's rows are shown, marked, not ranked, and it is no finalist.
    Binding,
    /// Honest methods may have it: it is shown, and nothing follows.
    Property,
}

impl Bearing {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Bearing::Binding => "binding",
            Bearing::Property => "property",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    /// The evaluation it was found on; it holds for its bundle.
    pub evaluation: i64,
    /// The check.
    pub check: Check,
    /// What follows.
    pub kind: Bearing,
    /// What was seen, in words, numbers included.
    pub evidence: String,
    /// The earlier evaluation that the row is tied to, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<i64>,
    /// What is left without the thing that the check takes away, where it measures that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
}

/// PGR of a method without something, beside what it is with it, on the same seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Left {
    /// Without it.
    pub without: f64,
    /// As it is.
    pub with: f64,
}

/// Attempts at cheating that are on record, of one researcher or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cheating {
    /// Looks at decoys: at paths and files that seem to hold labels and hold none.
    pub decoys: usize,
    /// Submissions that are not ranked, for a binding verdict (a leak, an earlier one over again) or by the operator's word.
    pub marked: usize,
}

impl std::ops::AddAssign for Cheating {
    fn add_assign(&mut self, other: Self) {
        self.decoys += other.decoys;
        self.marked += other.marked;
    }
}

/// What an operator decided, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ruling {
    /// What.
    #[serde(flatten)]
    pub decision: Decision,
    /// Why; 1 to 2,000 characters.
    pub reason: String,
}

/// What may be decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Decision {
    /// The method of this evaluation is what it says it is.
    SignOff {
        /// The evaluation.
        evaluation: i64,
    },
    /// It is not: its rows are marked and not ranked.
    Refuse {
        /// The evaluation.
        evaluation: i64,
    },
    /// A verdict was wrong and no longer binds.
    Overturn {
        /// The verdict.
        verdict: i64,
    },
    /// An appeal was heard, and the verdict stands.
    Uphold {
        /// The verdict.
        verdict: i64,
    },
}

/// A verdict with what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VerdictView {
    /// Its number, from 1.
    pub id: i64,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// What was found.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The bundle it holds for.
    pub bundle: String,
    /// What an operator ruled about it, last.
    pub appeal: Option<Appeal>,
}

impl VerdictView {
    /// Whether it binds rows.
    pub fn binds(&self) -> bool {
        self.verdict.kind == Bearing::Binding && !self.appeal.as_ref().is_some_and(|appeal| appeal.overturned)
    }
}

/// An appeal that was heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Appeal {
    /// Whether the verdict fell.
    pub overturned: bool,
    /// Why.
    pub reason: String,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
}

/// An operator's word on a finalist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Signature {
    /// The evaluation that was named.
    pub evaluation: i64,
    /// Its bundle, for which it holds.
    pub bundle: String,
    /// Signed off, or refused.
    pub signed_off: bool,
    /// Why.
    pub reason: String,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
}

/// Somebody looked for labels where nothing is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Touch {
    /// Who; `nobody` where no known token was shown.
    pub by: String,
    /// The path or file.
    pub what: String,
    /// How often, as far as it was counted.
    pub times: u32,
    /// The first time, in milliseconds since the epoch.
    pub at_ms: i64,
}

/// Everything on record about a study's integrity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Integrity {
    /// Verdicts, in the order they were found.
    pub verdicts: Vec<VerdictView>,
    /// The last word on each bundle that an operator gave one on.
    pub signatures: Vec<Signature>,
    /// Touches of decoys.
    pub touches: Vec<Touch>,
}

/// What the author of a submission had been told about held-out items before it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Signal {
    /// The submission.
    pub evaluation: i64,
    /// Bits that all of it may have given away: an upper bound.
    pub bits: f64,
    /// Answer by answer, oldest first.
    pub told: Vec<Told>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Told {
    /// The evaluation that was answered.
    pub evaluation: i64,
    /// Whose it was.
    pub by: String,
    /// The answer; absent where PGR is undefined or the ledger was spent.
    pub pgr: Option<f64>,
}
