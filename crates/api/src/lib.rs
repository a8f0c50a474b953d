//! What crosses the wall: paths, bodies and errors; with feature `client`, a blocking client for them.
//!
//! Wire types are separate from `domain`'s on purpose where a researcher may see less than is known.
//! One route = one constant in [`paths`] + one request and one answer type.

#[cfg(feature = "client")]
pub mod acts;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
pub mod folder;

pub mod bundle;
pub mod error;
pub mod evaluation;
pub mod forum;
pub mod integrity;
pub mod operator;
pub mod paths;
pub mod receipt;
pub mod study;
pub mod work;
