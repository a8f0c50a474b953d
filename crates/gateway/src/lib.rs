//! The process that holds the keys to language models.
//!
//! A researcher's sandbox has no network and no key. It reaches one unix socket, where it says its own token and speaks to a
//! model in one of three formats (`routes`). A call is checked and pinned (`pin`, `catalog`), its worst case is promised
//! on the team's ledger ([`ledger`]), it is written down ([`transcript`]), sent on (`upstream`, `provider`), read while
//! it passes (`call`), charged (`charge`, [`price`]) and written down again. The operator has a socket of its own
//! ([`operator`]); a collector may be told of calls ([`telemetry`]). Keys are a type that shows nothing, and are taken out of everything that leaves ([`secret`]).

pub mod error;
pub mod gateway;
pub mod settings;

pub mod ledger;
pub mod operator;
pub mod price;
pub mod secret;
pub mod telemetry;
pub mod transcript;

mod call;
mod catalog;
mod charge;
mod clock;
mod pin;
mod provider;
mod refusal;
mod routes;
mod shared;
mod upstream;
