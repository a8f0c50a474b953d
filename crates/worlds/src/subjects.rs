//! The subjects that can be minted.

use crate::chat;
use crate::secret::Secret;
use crate::subject::World;

/// A subject with its settings.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// Which of two replies to a question of fact is right.
    Chat(chat::Settings),
}

impl Subject {
    /// Names of all.
    pub const NAMES: &[&str] = &["chat"];

    /// The subject of this name with its default settings.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "chat" => Some(Subject::Chat(chat::Settings::default())),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Subject::Chat(_) => "chat",
        }
    }

    /// Names its generator: version and settings, 16 hexadecimal digits.
    pub fn generator(&self) -> String {
        match self {
            Subject::Chat(settings) => settings.hash(),
        }
    }

    /// The world of a secret.
    pub fn world(&self, secret: &Secret) -> Box<dyn World> {
        match self {
            Subject::Chat(settings) => Box::new(chat::World::new(settings, secret)),
        }
    }
}
