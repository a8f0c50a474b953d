//! A language model's endpoint for tests, on a free loopback port.
//!
//! In place of a model stands a *policy*: it sees the decoded request, so that it can branch on what tools answered, and says
//! what comes back ([`action::Action`]): an answer, or a fault as real endpoints have them. The endpoint speaks Messages, chat
//! completions and responses, whole and streamed, checks its key, and writes down what it was asked and what it
//! billed for it ([`endpoint::Asked`]), so that a ledger elsewhere can be compared to the token. A [`collector`] keeps the spans that it is told.

pub mod action;
pub mod collector;
pub mod endpoint;

mod answer;
mod bill;
mod serving;
