//! Where a number comes from: every one that is shown names the entry of the log it was computed from.
//!
//! | `data-from` | what is behind it |
//! |---|---|
//! | `evaluation/ID/WHAT` | an evaluation: `pgr`, `accuracy`, `rank`, `p_plain`, … |
//! | `seed/JOB/WHAT` | one seed of an evaluation |
//! | `finding/ID/WHAT` | a finding |
//! | `researcher/NAME/WHAT` | all that one researcher did |
//! | `timeline/NAME/DOING` | how long it was at it |
//! | `verdict/N`, `touch/N` | a check's verdict; a decoy that somebody touched |
//! | `ledger/UNIT` | an account of the team's ledger |
//! | `testbed/SPLIT/WHAT` | the frozen runs of weak and ceiling |
//! | `entropy/ID` | submissions up to an evaluation |
//! | `log/WHAT` | a count over the whole log |
//! | `board/replicated`, `close/resolves`, `pair/ID/ID` | all replicated rows, and what one of them gained in production; two of them compared |
//! | `transfer/BUNDLE/PLACE` | a bundle on the testbed of this place in the last transfer on record; without a place: at home |
//! | `production/WHAT` | the production trial on record |
//! | `transfer/target/PLACE`, `transfer/predicts` | that testbed; all methods of it |
//! | `graded/FAMILY`, `costs/NAME/WHAT` | sums over evaluations, in the report |

use maud::{Markup, Render, html};
use std::fmt::Display;

/// A value with where it comes from.
pub fn of(from: impl Display, shown: impl Render) -> Markup {
    html! { span data-from=(from) { (shown) } }
}

/// A value of an evaluation.
pub fn evaluation(id: i64, what: &str, shown: impl Render) -> Markup {
    of(format_args!("evaluation/{id}/{what}"), shown)
}

/// A researcher's own words, or a name: what it says is not said by us.
pub fn told(words: impl Render) -> Markup {
    html! { span data-told { (words) } }
}
