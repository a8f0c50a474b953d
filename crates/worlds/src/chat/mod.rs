//! The subject `chat`: which of two replies to a question of fact is right, where a polite tone is a cue that misleads.
//!
//! `words` makes the vocabulary, `facts` the world, `documents` what models are pre-trained on, `items` what they are
//! asked. Everything is a function of the secret and [`Settings`].

pub mod documents;
pub mod facts;
pub mod items;
pub mod settings;
pub mod words;

pub use facts::World;
pub use settings::Settings;
