//! What an operator, or a study, says to a gateway: one JSON or TOML file.

use crate::error::GatewayError;
use crate::ledger::pace::Rate;
use crate::price::Price;
use crate::telemetry::TelemetrySettings;
use aar_llm::trace::Place;
use aar_llm::wire::Wire;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewaySettings {
    /// The unix socket that callers reach: `llm.sock`.
    pub socket: PathBuf,
    /// The operator's unix socket. It must lie where no caller gets to.
    pub control: PathBuf,
    /// The ledger's SQLite file.
    pub ledger: PathBuf,
    /// The folder of transcripts, one file per caller.
    pub transcripts: PathBuf,
    /// Who may call.
    pub callers: Vec<Caller>,
    /// What the whole team may spend.
    #[serde(default)]
    pub limits: Limits,
    /// Where models are, by a name of your choice.
    pub providers: BTreeMap<String, ProviderSettings>,
    /// Models that may be asked, by the name that callers use.
    pub models: BTreeMap<String, ModelSettings>,
    /// Other names for them: an external agent's own names. `*` stands for every other name.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
    /// A price table whose rows go before those that ship.
    #[serde(default)]
    pub prices: Option<PathBuf>,
    /// Where spans of calls go; nowhere where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<TelemetrySettings>,
    /// Seconds that running calls get to end when the gateway does.
    #[serde(default = "grace")]
    pub grace_s: u64,
}

/// Somebody who may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// Their name: letters, digits, `-` and `_`.
    pub name: String,
    /// SHA-256 of their token, hex.
    pub token_hash: String,
    /// What they alone may spend; the team's limits hold too.
    #[serde(default)]
    pub limits: Limits,
    /// How fast they may spend; not limited where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// The span, of whoever starts the gateway, that their calls belong to: a `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Place>,
}

/// Limits on spending. What is left out is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// US$.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    /// Tokens of all kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
}

/// Where models are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ProviderSettings {
    /// An HTTP endpoint.
    Http(HttpSettings),
    /// Transcripts of an earlier run answer in place of a model.
    Replay {
        /// The folder of transcripts: each caller is answered from the file of its name.
        transcripts: PathBuf,
        /// Answer in the order of the record, whatever is asked. Otherwise what was not recorded is refused.
        #[serde(default)]
        in_order: bool,
    },
}

/// An HTTP endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// What stands before `/v1/…`: `https://api.anthropic.com`.
    pub base_url: String,
    /// Formats it speaks.
    pub wires: Vec<Wire>,
    /// The environment variable with its key; none for a local server without one.
    #[serde(default)]
    pub key_env: Option<String>,
    /// Calls at the same time.
    #[serde(default = "concurrent")]
    pub concurrent: usize,
    /// Seconds until a connection stands.
    #[serde(default = "connect")]
    pub connect_timeout_s: f64,
    /// Seconds until an answer begins.
    #[serde(default = "answer")]
    pub answer_timeout_s: f64,
    /// Seconds between two pieces of an answer.
    #[serde(default = "idle")]
    pub idle_timeout_s: f64,
    /// How often a call that did not begin to be answered is tried again.
    #[serde(default = "retries")]
    pub retries: u32,
    /// Milliseconds before the first of them; doubled each time, shortened by chance by up to a half.
    #[serde(default = "backoff")]
    pub backoff_ms: u64,
    /// The longest such pause in seconds. An endpoint that wants a longer one is not asked again; the caller is told.
    #[serde(default = "longest")]
    pub longest_wait_s: u64,
    /// Tell the endpoint who asks (header `x-aar-caller`): for one's own server.
    #[serde(default)]
    pub tell_caller: bool,
}

/// A model that may be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// Its provider.
    pub provider: String,
    /// Its exact name there; the same name where nothing is said.
    #[serde(default)]
    pub pinned: Option<String>,
    /// The most tokens of one answer; what is asked above it is lowered.
    #[serde(default = "max_tokens")]
    pub max_tokens: u32,
    /// Its price; from the table where nothing is said.
    #[serde(default)]
    pub price: Option<PriceSettings>,
}

/// A price that settings say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PriceSettings {
    /// `"free"`.
    Word(Free),
    /// US$ per million tokens.
    Price(Price),
}

/// Nothing is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Free {
    /// Nothing is paid.
    Free,
}

fn grace() -> u64 {
    20
}
fn concurrent() -> usize {
    16
}
fn connect() -> f64 {
    15.0
}
fn answer() -> f64 {
    600.0
}
fn idle() -> f64 {
    180.0
}
fn retries() -> u32 {
    5
}
fn backoff() -> u64 {
    1000
}
fn longest() -> u64 {
    120
}
fn max_tokens() -> u32 {
    32_000
}

impl HttpSettings {
    /// An endpoint with everything else as usual.
    pub fn at(base_url: &str, wires: Vec<Wire>) -> Self {
        Self {
            base_url: base_url.to_owned(),
            wires,
            key_env: None,
            concurrent: concurrent(),
            connect_timeout_s: connect(),
            answer_timeout_s: answer(),
            idle_timeout_s: idle(),
            retries: retries(),
            backoff_ms: backoff(),
            longest_wait_s: longest(),
            tell_caller: false,
        }
    }
}

impl GatewaySettings {
    /// Read a file: TOML if its name ends so, JSON otherwise.
    pub fn read(path: &Path) -> Result<Self, GatewayError> {
        let text = std::fs::read_to_string(path).map_err(GatewayError::file("read", path))?;
        let wrong = |detail: String| GatewayError::settings(path.display().to_string(), detail);
        if path.extension().is_some_and(|extension| extension == "toml") {
            toml::from_str(&text).map_err(|error| wrong(error.to_string()))
        } else {
            serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_only_what_differs() {
        let text = r#"
            socket = "run/llm.sock"
            control = "operator/gateway.sock"
            ledger = "gateway.db"
            transcripts = "transcripts"
            callers = [{ name = "ada", token_hash = "00", limits = { usd = 50 } }]
            limits = { usd = 400.5, tokens = 1000000 }
            [providers.anthropic]
            kind = "http"
            base_url = "https://api.anthropic.com"
            wires = ["messages"]
            key_env = "ANTHROPIC_API_KEY"
            [providers.local]
            kind = "http"
            base_url = "http://127.0.0.1:8000"
            wires = ["chat"]
            [providers.record]
            kind = "replay"
            transcripts = "old/transcripts"
            [models.sonnet]
            provider = "anthropic"
            pinned = "claude-sonnet-4-5-20250929"
            [models.qwen]
            provider = "local"
            price = "free"
            [models.other]
            provider = "local"
            price = { input = 0.2, output = 0.4 }
            [aliases]
            "*" = "sonnet"
        "#;
        let settings: GatewaySettings = toml::from_str(text).unwrap();
        assert_eq!(settings.limits.usd, Some(400.5));
        assert_eq!(settings.models["qwen"].price, Some(PriceSettings::Word(Free::Free)));
        assert!(matches!(settings.models["other"].price, Some(PriceSettings::Price(price)) if price.output == 0.4));
        let ProviderSettings::Http(http) = &settings.providers["anthropic"] else { panic!("http") };
        assert_eq!((http.retries, http.concurrent, http.key_env.as_deref()), (5, 16, Some("ANTHROPIC_API_KEY")));
        // JSON says the same.
        let json = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<GatewaySettings>(&json).unwrap(), settings);
        assert!(toml::from_str::<GatewaySettings>(&text.replace("limits =", "limit =")).is_err(), "a typo is an error");
    }
}
