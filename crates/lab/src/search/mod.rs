//! `lab search`: the researcher of kind `search`, and of kind `random`, its control.
//!
//! A turn: wait until it begins (`driver`), read board and forum as they were before it (`history`), propose
//! compositions of steps (`policy`, a pure function of history and random numbers, over the choices of `space`, guided
//! by what the board says of each choice (`surrogate`) and by the researcher's own leaning (`direction`)), try a few
//! cheaply on public data, submit one, post what was learnt.

pub mod direction;
pub mod driver;
pub mod history;
pub mod policy;
pub mod space;
pub mod surrogate;
