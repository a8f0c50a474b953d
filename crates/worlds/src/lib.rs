//! Mint or import a testbed: generate, split, train teacher and ceiling, seal, check.
