//! The bench a researcher types at.

pub mod search;
