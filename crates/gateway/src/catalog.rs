//! Which models may be asked, under which names, where, and at what price.

use crate::error::GatewayError;
use crate::price::{Price, Prices};
use crate::refusal::{Reason, Refusal};
use crate::secret::{Key, Lookup};
use crate::settings::{GatewaySettings, PriceSettings};
use crate::upstream::Upstream;
use aar_llm::wire::Wire;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A model that may be asked.
#[derive(Clone)]
pub struct Model {
    /// Its name at its provider.
    pub pinned: String,
    /// The most tokens of one answer.
    pub max_tokens: u32,
    /// Its price.
    pub price: Price,
    /// Its provider.
    pub upstream: Arc<Upstream>,
}

/// All of them.
pub struct Catalog {
    models: BTreeMap<String, Model>,
    aliases: BTreeMap<String, String>,
    /// Every provider's key, to be kept out of what is written.
    pub keys: Vec<Key>,
}

impl Catalog {
    /// What settings say, checked. `key` looks up an environment variable.
    pub fn new(settings: &GatewaySettings, key: &Lookup) -> Result<Self, GatewayError> {
        let prices = Prices::load(settings.prices.as_deref())?;
        let mut upstreams = BTreeMap::new();
        for (name, provider) in &settings.providers {
            upstreams.insert(name.as_str(), Arc::new(Upstream::new(name, provider, key)?));
        }
        let mut models = BTreeMap::new();
        for (name, model) in &settings.models {
            let wrong = |field: &str, detail: String| GatewayError::settings(format!("models.{name}.{field}"), detail);
            let upstream = upstreams.get(model.provider.as_str()).ok_or_else(|| {
                let known: Vec<&str> = upstreams.keys().copied().collect();
                wrong("provider", format!("there is no provider {:?}, but {}", model.provider, known.join(", ")))
            })?;
            let pinned = model.pinned.clone().unwrap_or_else(|| name.clone());
            let price = match model.price {
                Some(PriceSettings::Word(_)) => Price::FREE,
                Some(PriceSettings::Price(price)) if price.is_sound() => price,
                Some(PriceSettings::Price(_)) => return Err(wrong("price", "it is negative or no number".into())),
                None => prices.find(&pinned).map(|row| row.price).ok_or_else(|| {
                    wrong("price", format!("{pinned} is not in the price table: say its price here, or \"free\""))
                })?,
            };
            let (max_tokens, upstream) = (model.max_tokens.max(1), (*upstream).clone());
            models.insert(name.clone(), Model { pinned, max_tokens, price, upstream });
        }
        if let Some((alias, model)) = settings.aliases.iter().find(|(_, model)| !models.contains_key(*model)) {
            return Err(GatewayError::settings(format!("aliases.{alias}"), format!("there is no model {model:?}")));
        }
        let keys = upstreams.values().filter_map(|upstream| upstream.key.clone()).collect();
        Ok(Self { models, aliases: settings.aliases.clone(), keys })
    }

    /// The model that a caller means, if it speaks this format.
    pub fn find(&self, name: &str, wire: Wire) -> Result<&Model, Refusal> {
        let alias = || self.aliases.get(name).or_else(|| self.aliases.get("*"));
        let model = self.models.get(name).or_else(|| self.models.get(alias()?));
        // A caller may send a book for a name.
        let name: String = name.chars().take(80).collect();
        let Some(model) = model else {
            let message = format!("the model {name:?} is not allowed here; allowed are: {}", self.names().join(", "));
            return Err(Refusal::new(Reason::Model, message));
        };
        if !model.upstream.wires().contains(&wire) {
            let paths: Vec<&str> = model.upstream.wires().iter().map(|wire| wire.path()).collect();
            let message = format!("the model {name:?} is not reached at {}, but at {}", wire.path(), paths.join(", "));
            return Err(Refusal::new(Reason::Invalid, message));
        }
        Ok(model)
    }

    /// Names that callers may use.
    pub fn names(&self) -> Vec<&str> {
        self.models.keys().map(String::as_str).collect()
    }
}
