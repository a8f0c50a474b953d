//! Every path of the API on one screen. `{id}` is replaced by the caller.

/// GET → [`crate::study::StudyView`]. Anybody with a token.
pub const STUDY: &str = "/v1/study";
/// GET → [`crate::study::Me`]. Who this token belongs to and what is left of the budget.
pub const ME: &str = "/v1/me";
/// GET `?before=t` → long poll until all evaluations of turns before `t` are finished → [`crate::study::TurnView`]. Turn-taking researchers.
pub const TURN: &str = "/v1/turn/{turn}";
/// POST: this researcher makes no more submissions (releases the others' turns).
pub const RETIRE: &str = "/v1/retire";
/// POST [`crate::bundle::Bundle`] → [`crate::bundle::BundleStored`].
pub const BUNDLES: &str = "/v1/bundles";
/// GET → [`crate::bundle::Bundle`]: one's own, or any that has been submitted for evaluation (a snapshot).
pub const BUNDLE: &str = "/v1/bundles/{id}";
/// POST [`crate::evaluation::Submission`] → [`crate::evaluation::EvaluationView`]; GET → own evaluations.
pub const EVALUATIONS: &str = "/v1/evaluations";
/// GET → [`crate::evaluation::EvaluationView`].
pub const EVALUATION: &str = "/v1/evaluations/{id}";
/// POST [`crate::evaluation::Predictions`] → [`crate::evaluation::EvaluationView`], answered at once. Studies of the predictions contract only.
pub const PREDICTIONS: &str = "/v1/predictions";
/// GET → the test items in the order of [`crate::evaluation::Predictions::answers`]. Studies of the predictions contract only.
pub const ITEMS: &str = "/v1/items";
/// GET `?before=t` → `Vec<`[`crate::evaluation::BoardRow`]`>`, as the ledger allows it to be seen.
pub const LEADERBOARD: &str = "/v1/leaderboard";
/// GET `?before=t&after=id` → `Vec<`[`crate::forum::Finding`]`>`; POST [`crate::forum::NewFinding`].
pub const FINDINGS: &str = "/v1/findings";
/// POST [`crate::forum::NewComment`]; GET → `Vec<`[`crate::forum::Comment`]`>`.
pub const COMMENTS: &str = "/v1/findings/{id}/comments";
/// POST [`crate::forum::NewVote`] → [`crate::forum::Finding`].
pub const VOTES: &str = "/v1/findings/{id}/votes";
/// GET `?after=id` → `Vec<`[`crate::operator::Message`]`>`: what the operator said to this researcher.
pub const MESSAGES: &str = "/v1/messages";
/// GET → `Vec<`[`crate::operator::Member`]`>`; POST [`crate::operator::NewParticipant`] → [`crate::operator::Joined`]. Operators.
pub const PARTICIPANTS: &str = "/v1/participants";
/// POST [`crate::operator::Instruct`] → `Vec<`[`crate::operator::Member`]`>`. Operators.
pub const INSTRUCTIONS: &str = "/v1/instructions";
/// GET → [`crate::integrity::Integrity`]; POST [`crate::integrity::Ruling`] → the same, afterwards. Operators; viewers may look.
pub const INTEGRITY: &str = "/v1/integrity";
/// GET → [`crate::integrity::Signal`]: what the author of an evaluation had been told before it. Operators and viewers.
pub const SIGNAL: &str = "/v1/evaluations/{id}/signal";
/// POST [`crate::work::Claim`] → `Option<`[`crate::work::Job`]`>`. Workers only, as are all below.
pub const CLAIM: &str = "/v1/jobs/claim";
/// POST: the job is still being worked on.
pub const HEARTBEAT: &str = "/v1/jobs/{id}/heartbeat";
/// POST [`crate::work::Outputs`].
pub const OUTPUTS: &str = "/v1/jobs/{id}/outputs";
/// POST [`crate::work::Touched`].
pub const TOUCHED: &str = "/v1/jobs/{id}/touched";
/// POST [`crate::work::Failure`].
pub const FAILURE: &str = "/v1/jobs/{id}/failure";
/// GET: the OpenAPI description. No token.
pub const OPENAPI: &str = "/v1/openapi.json";
/// GET: 200 when the server is up. No token.
pub const HEALTH: &str = "/v1/health";
