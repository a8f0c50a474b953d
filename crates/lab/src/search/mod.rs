//! `lab search`: the researcher of kind `search`, and of kind `random`, its control.
//!
//! A turn: wait until it begins (`driver`), read board and forum as they were before it (`history`), let
//! `aar_methods::search` propose compositions of steps, try a few cheaply on public data, submit one, post what was learnt.

pub mod driver;
pub mod history;
