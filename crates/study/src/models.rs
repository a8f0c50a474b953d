//! Language models in a study file: which, from whom, and what the team may spend on them.

use aar_gateway::ledger::pace::Rate;
use aar_gateway::settings::{
    Caller, GatewaySettings, HttpSettings, Limits, ModelSettings, PriceSettings, ProviderSettings,
};
use aar_gateway::telemetry::TelemetrySettings;
use aar_llm::trace::Place;
use aar_llm::wire::Wire;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// A model that researchers may be given: one table `[models.NAME]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelPlan {
    /// `anthropic`, `openai`, or what stands before `/v1/…` of any compatible endpoint: `http://127.0.0.1:8000`.
    pub provider: String,
    /// The model's exact name there.
    pub model: String,
    /// How researchers speak to it: `messages`, `chat` or `responses`; what its provider speaks where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<Wire>,
    /// The environment variable with its key; the provider's usual one where nothing is said, none for an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// US$ per million tokens, or `"free"`. From the price table where nothing is said; free on loopback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<PriceSettings>,
    /// The most tokens of one answer.
    #[serde(default = "answer_tokens")]
    pub max_tokens: u32,
    /// Seconds until an answer has to begin; then the call counts as hung and is charged at its worst. 600 where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_timeout_s: Option<f64>,
    /// Tokens of a conversation at which it is compacted; below the model's own limit.
    #[serde(default = "context_tokens")]
    pub context_tokens: u32,
}

fn answer_tokens() -> u32 {
    16_000
}

fn context_tokens() -> u32 {
    150_000
}

/// How much faster than evenly over the team's hours a researcher may spend.
const EVEN_PACES: f64 = 4.0;

/// What researchers with a language model have together: the table `[team]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TeamPlan {
    /// Hours of research, from its beginning; waiting for a resume counts.
    pub hours: f64,
    /// US$ that all may spend on models together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    /// US$ that each may spend; an equal share of `usd` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd_each: Option<f64>,
    /// US$ an hour that each may spend in the long run; four times an even pace where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd_per_hour_each: Option<f64>,
    /// US$ that each may spend at once before that rate holds; a quarter of its share where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd_burst_each: Option<f64>,
    /// Tokens of all kinds that all may use together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Whether everybody starts in a direction of its own, or all the same: wherever they think it best.
    pub directed: bool,
    /// Hours in which everybody works alone: neither forum nor board nor others' bundles are shown.
    pub cold_start_hours: f64,
    /// Whether the worst duplicate is given a new direction when nearly all do the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub redirect: bool,
    /// The least isolation for them: `namespaces`, or less if you say so here.
    pub isolation: String,
}

impl Default for TeamPlan {
    fn default() -> Self {
        Self {
            hours: 4.0,
            usd: None,
            usd_each: None,
            usd_per_hour_each: None,
            usd_burst_each: None,
            tokens: None,
            directed: true,
            cold_start_hours: 0.0,
            redirect: false,
            isolation: "namespaces".into(),
        }
    }
}

impl TeamPlan {
    /// Whether the study file says nothing of a team.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What each of so many may spend.
    fn share(&self, of: usize) -> Option<f64> {
        self.usd_each.or(self.usd.map(|usd| usd / of.max(1) as f64))
    }

    /// How fast each of so many may spend, so that one that runs in circles is noticed before its money is gone.
    fn rate(&self, of: usize) -> Option<Rate> {
        let share = self.share(of);
        let usd_per_hour = self.usd_per_hour_each.or(share.map(|usd| EVEN_PACES * usd / self.hours))?;
        let burst_usd = self.usd_burst_each.or(share.map(|usd| usd / 4.0)).unwrap_or(usd_per_hour / 4.0);
        Some(Rate { usd_per_hour, burst_usd })
    }

    /// What is impossible.
    pub(crate) fn check(&self) -> Result<(), String> {
        let positive = |field: &str, value: Option<f64>, most: f64| match value {
            Some(value) if !(value > 0.0 && value <= most) => {
                Err(format!("team.{field} = {value}: more than 0, at most {most} is possible"))
            }
            _ => Ok(()),
        };
        positive("hours", Some(self.hours), 10_000.0)?;
        positive("usd", self.usd, 1e7)?;
        positive("usd_each", self.usd_each, 1e7)?;
        positive("usd_per_hour_each", self.usd_per_hour_each, 1e7)?;
        positive("usd_burst_each", self.usd_burst_each, 1e7)?;
        if !(0.0..=self.hours).contains(&self.cold_start_hours) {
            return Err(format!(
                "team.cold_start_hours = {}: 0 to team.hours ({}) is possible",
                self.cold_start_hours, self.hours
            ));
        }
        if !["namespaces", "landlock", "any"].contains(&self.isolation.as_str()) {
            return Err(format!("team.isolation = {:?}: namespaces, landlock or any is possible", self.isolation));
        }
        Ok(())
    }
}

impl ModelPlan {
    /// How researchers speak to it.
    pub fn wire(&self) -> Wire {
        self.wire.unwrap_or(match self.provider.as_str() {
            "anthropic" => Wire::Messages,
            "openai" => Wire::Responses,
            _ => Wire::Chat,
        })
    }

    /// The environment variable that must hold its key.
    pub fn key_env(&self) -> Option<&str> {
        let usual = match self.provider.as_str() {
            "anthropic" => Some("ANTHROPIC_API_KEY"),
            "openai" => Some("OPENAI_API_KEY"),
            _ => None,
        };
        self.key_env.as_deref().or(usual)
    }

    fn base_url(&self) -> &str {
        match self.provider.as_str() {
            "anthropic" => "https://api.anthropic.com",
            "openai" => "https://api.openai.com",
            address => address.trim_end_matches('/').trim_end_matches("/v1"),
        }
    }

    fn local(&self) -> bool {
        let host = self.base_url().trim_start_matches("http://").split(['/', ':']).next().unwrap_or_default();
        host == "localhost" || host.starts_with("127.")
    }

    fn price(&self) -> Option<PriceSettings> {
        self.price.or(self.local().then_some(PriceSettings::Word(aar_gateway::settings::Free::Free)))
    }

    /// Whether nothing is paid for it.
    pub fn is_free(&self) -> bool {
        matches!(self.price(), Some(PriceSettings::Word(_)))
    }

    /// What is impossible.
    pub(crate) fn check(&self, name: &str) -> Result<(), String> {
        let known = ["anthropic", "openai"].contains(&self.provider.as_str());
        if !known && !self.provider.starts_with("http://") && !self.provider.starts_with("https://") {
            return Err(format!(
                "models.{name}.provider = {:?}: anthropic, openai, or an address such as http://127.0.0.1:8000 is possible",
                self.provider
            ));
        }
        if self.answer_timeout_s.is_some_and(|seconds| !(1.0..=3600.0).contains(&seconds)) {
            return Err(format!("models.{name}.answer_timeout_s: 1 to 3600 seconds are possible"));
        }
        if self.model.trim().is_empty() {
            return Err(format!("models.{name}.model is empty: the model's exact name at its provider is needed"));
        }
        if !(256..=1_000_000).contains(&self.max_tokens) || self.context_tokens < 2 * self.max_tokens {
            return Err(format!(
                "models.{name}: max_tokens = {} and context_tokens = {} do not fit: the context holds at least two answers of at least 256 tokens",
                self.max_tokens, self.context_tokens
            ));
        }
        Ok(())
    }
}

/// Where a gateway listens and keeps things.
pub struct GatewayPlaces<'a> {
    /// The socket that researchers reach.
    pub socket: &'a Path,
    /// The operator's socket.
    pub control: &'a Path,
    /// The study's directory.
    pub study: &'a Path,
}

/// A gateway's settings: `callers` are names with the hashes of their tokens, and their spans where the study is traced.
pub fn gateway_settings(
    models: &BTreeMap<String, ModelPlan>,
    team: &TeamPlan,
    telemetry: Option<&TelemetrySettings>,
    callers: Vec<(String, String, Option<Place>)>,
    places: &GatewayPlaces,
) -> GatewaySettings {
    let limits = Limits { usd: team.share(callers.len()), tokens: None };
    let rate = team.rate(callers.len());
    let provider = |model: &ModelPlan| {
        let usual = HttpSettings::at(model.base_url(), vec![model.wire()]);
        ProviderSettings::Http(HttpSettings {
            key_env: model.key_env().map(str::to_owned),
            tell_caller: model.local(),
            answer_timeout_s: model.answer_timeout_s.unwrap_or(usual.answer_timeout_s),
            ..usual
        })
    };
    let settings = |name: &String, model: &ModelPlan| ModelSettings {
        provider: name.clone(),
        pinned: Some(model.model.clone()),
        max_tokens: model.max_tokens,
        price: model.price(),
    };
    GatewaySettings {
        socket: places.socket.to_owned(),
        control: places.control.to_owned(),
        ledger: places.study.join("gateway.db"),
        transcripts: places.study.join("transcripts"),
        callers: callers
            .into_iter()
            .map(|(name, token_hash, trace)| Caller { name, token_hash, limits, rate, trace })
            .collect(),
        limits: Limits { usd: team.usd, tokens: team.tokens },
        providers: models.iter().map(|(name, model)| (name.clone(), provider(model))).collect(),
        models: models.iter().map(|(name, model)| (name.clone(), settings(name, model))).collect(),
        // An agent's own names for helper models lead to the team's model where there is but one.
        aliases: models
            .keys()
            .next()
            .filter(|_| models.len() == 1)
            .map(|name| ("*".to_owned(), name.clone()))
            .into_iter()
            .collect(),
        prices: None,
        telemetry: telemetry.cloned(),
        grace_s: 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(text: &str) -> ModelPlan {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_provider_brings_what_is_usual_for_it() {
        let check = |text: &str, wire, key: Option<&str>, url: &str, free| {
            let model = model(text);
            model.check("m").unwrap();
            assert_eq!((model.wire(), model.key_env(), model.base_url(), model.is_free()), (wire, key, url, free));
        };
        let anthropic = "provider = \"anthropic\"\nmodel = \"m\"";
        check(anthropic, Wire::Messages, Some("ANTHROPIC_API_KEY"), "https://api.anthropic.com", false);
        let openai = "provider = \"openai\"\nmodel = \"m\"\nwire = \"chat\"\nkey_env = \"MY_KEY\"";
        check(openai, Wire::Chat, Some("MY_KEY"), "https://api.openai.com", false);
        let local = "provider = \"http://127.0.0.1:8000/v1/\"\nmodel = \"m\"";
        check(local, Wire::Chat, None, "http://127.0.0.1:8000", true);
        let far = "provider = \"https://models.example\"\nmodel = \"m\"";
        check(far, Wire::Chat, None, "https://models.example", false);
        assert!(model("provider = \"claude\"\nmodel = \"m\"").check("m").unwrap_err().contains("anthropic, openai"));
        assert!(model("provider = \"openai\"\nmodel = \" \"").check("m").is_err());
        assert!(model("provider = \"openai\"\nmodel = \"m\"\ncontext_tokens = 100").check("m").is_err());
    }

    #[test]
    fn a_team_s_limits_are_checked() {
        let check = |text: &str, expect: &str| {
            let error = toml::from_str::<TeamPlan>(text).unwrap().check().unwrap_err();
            assert!(error.contains(expect), "{error}");
        };
        check("hours = 0", "team.hours");
        check("usd = -1", "team.usd");
        check("usd_per_hour_each = 0", "team.usd_per_hour_each");
        check("hours = 2\ncold_start_hours = 3", "team.cold_start_hours");
        check("isolation = \"none\"", "team.isolation");
        TeamPlan::default().check().unwrap();
    }

    #[test]
    fn each_gets_an_equal_share_and_a_pace_where_nothing_is_said() {
        let check = |text: &str, share: Option<f64>, rate: Option<(f64, f64)>| {
            let team: TeamPlan = toml::from_str(text).unwrap();
            assert_eq!(team.share(9), share, "{text}");
            assert_eq!(team.rate(9).map(|rate| (rate.usd_per_hour, rate.burst_usd)), rate, "{text}");
        };
        check("", None, None);
        check("usd = 90\nhours = 5", Some(10.0), Some((8.0, 2.5)));
        check("usd = 90\nusd_each = 40\nhours = 5", Some(40.0), Some((32.0, 10.0)));
        check("usd = 90\nusd_per_hour_each = 3\nusd_burst_each = 1", Some(10.0), Some((3.0, 1.0)));
        check("usd_per_hour_each = 3", None, Some((3.0, 0.75)));
    }
}
