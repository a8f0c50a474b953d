//! Drive one researcher process.
