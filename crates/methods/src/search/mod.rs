//! How a search researcher thinks: pure functions of history and random numbers, without a server or a clock.
//!
//! `policy` proposes compositions of steps over the choices of `space`, guided by what the board says of each choice
//! (`surrogate`) and by the researcher's own leaning (`direction`). `lab search` lives by it, a replay against a table of results
//! too; `sample` draws the compositions such a table is made of.

pub mod direction;
pub mod policy;
pub mod sample;
pub mod space;
pub mod surrogate;
