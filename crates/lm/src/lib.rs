//! Read, train, save, run and probe a transformer.
