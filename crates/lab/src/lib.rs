//! The bench a researcher types at.
