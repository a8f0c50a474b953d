//! Remember evaluations, findings, bundles and budgets; serve them as JSON.
//!
//! A request is checked by `routes`, becomes an `event`, is appended to the `store` (SQLite, one writer, `synchronous=FULL`), and only then applied
//! to the `state`, which is nothing but the events replayed. Every event carries the `chain`'s hash, which `audit` checks. `handle` is the operator's door to the same state; the truth
//! stays in the grader's vault, which `state` asks for answers. `pages` shows it to people.

pub mod audit;
pub mod board;
pub mod card;
mod chain;
pub mod error;
pub mod event;
pub mod foreign;
pub mod handle;
pub mod history;
pub mod ideas;
mod near;
pub mod openapi;
pub mod pages;
pub mod record;
mod released;
mod routes;
mod scores;
mod shared;
pub mod spending;
mod state;
mod store;
pub mod timeline;
pub mod transfer;

pub use error::ServerError;
pub use handle::{Server, ServerConfig};
