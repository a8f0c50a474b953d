//! The subjects that can be minted.

use crate::mechanism::Mechanism;
use crate::pair::Pair;
use crate::secret::Secret;
use crate::subject::{Sizes, World};
use crate::{chat, code, math, production};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A subject with its settings.
#[derive(Clone, Debug, PartialEq)]
pub enum Settings {
    /// Which of two replies to a question of fact is right.
    Chat(chat::Settings),
    /// Whether a worked solution is right.
    Math(math::Settings),
    /// Whether a program prints an output.
    Code(code::Settings),
    /// Solutions and programs, thought about first.
    Production(Box<production::Settings>),
}

impl Settings {
    /// Sizes of networks and sets.
    pub fn sizes_mut(&mut self) -> &mut Sizes {
        match self {
            Settings::Chat(settings) => &mut settings.sizes,
            Settings::Math(settings) => &mut settings.sizes,
            Settings::Code(settings) => &mut settings.sizes,
            Settings::Production(settings) => &mut settings.sizes,
        }
    }
}

/// A subject with its settings and the mechanism its worlds will have.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// Its settings.
    pub settings: Settings,
    /// How its worlds mislead.
    pub mechanism: Mechanism,
    /// Its models, where they are not its own.
    pub pair: Option<Pair>,
}

impl Subject {
    /// Names of those that a study can be of.
    pub const NAMES: &[&str] = &["chat", "math", "code"];
    /// The name of the one that a method's production trial is of.
    pub const PRODUCTION: &str = "production";

    /// The subject of this name with its default settings, and the mechanism that everything was calibrated on.
    pub fn named(name: &str) -> Option<Self> {
        let settings = match name {
            "chat" => Settings::Chat(chat::Settings::default()),
            "math" => Settings::Math(math::Settings::default()),
            "code" => Settings::Code(code::Settings::default()),
            Self::PRODUCTION => Settings::Production(Box::default()),
            _ => return None,
        };
        Some(Self { settings, mechanism: Mechanism::FIRST, pair: None })
    }

    /// With the mechanism that a mint's secret draws, from the reserved ones or from the others.
    pub fn drawn(self, secret: &Secret, reserved: bool) -> Self {
        Self { mechanism: Mechanism::draw(secret, reserved), ..self }
    }

    /// With other models. They are part of the settings, so that the generator has another hash.
    pub fn with(mut self, pair: Pair) -> Self {
        pair.apply(self.settings.sizes_mut());
        self.pair = Some(pair);
        self
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self.settings {
            Settings::Chat(_) => "chat",
            Settings::Math(_) => "math",
            Settings::Code(_) => "code",
            Settings::Production(_) => Self::PRODUCTION,
        }
    }

    /// Names its generator: version and settings, 16 hexadecimal digits. The mechanism is drawn, so not a part of it.
    pub fn generator(&self) -> String {
        match &self.settings {
            Settings::Chat(settings) => hash(chat::settings::GENERATOR_VERSION, settings),
            Settings::Math(settings) => hash(math::settings::GENERATOR_VERSION, settings),
            Settings::Code(settings) => hash(code::settings::GENERATOR_VERSION, settings),
            Settings::Production(settings) => hash(production::settings::GENERATOR_VERSION, settings),
        }
    }

    /// The world of a secret.
    pub fn world(&self, secret: &Secret) -> Box<dyn World> {
        match &self.settings {
            Settings::Chat(settings) => Box::new(chat::World::new(settings, self.mechanism, secret)),
            Settings::Math(settings) => Box::new(math::World::new(settings, self.mechanism, secret)),
            Settings::Code(settings) => Box::new(code::World::new(settings, self.mechanism, secret)),
            Settings::Production(settings) => Box::new(production::World::new(settings, self.mechanism, secret)),
        }
    }
}

/// Names settings of one version.
fn hash(version: u32, settings: &impl Serialize) -> String {
    let text = serde_json::to_string(&(version, settings)).unwrap_or_default();
    hex::encode(&Sha256::digest(text)[..8])
}
