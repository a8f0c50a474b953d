//! What calls share.

use crate::catalog::Catalog;
use crate::clock::now_ms;
use crate::error::GatewayError;
use crate::ledger::Ledger;
use crate::refusal::{Reason, Refusal};
use crate::settings::{Caller, GatewaySettings};
use crate::telemetry::{Telemetry, Traces};
use crate::transcript::{Event, Transcripts};
use axum::http::HeaderMap;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

/// What calls share.
pub struct Shared {
    /// Models.
    pub catalog: Catalog,
    /// Money and tokens.
    pub ledger: Ledger,
    /// What was said.
    pub transcripts: Transcripts,
    /// Who is told of calls, if anybody.
    pub telemetry: Option<Telemetry>,
    /// Where calls belong in traces.
    pub traces: Traces,
    /// Names by the SHA-256 of tokens.
    callers: RwLock<BTreeMap<String, String>>,
}

/// A name that can stand in a file's name.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.len() <= 64 && name.chars().all(fits)
}

fn check(caller: &Caller) -> Result<(), GatewayError> {
    let wrong =
        |field: &str, detail: &str| Err(GatewayError::settings(format!("callers.{}.{field}", caller.name), detail));
    if !is_name(&caller.name) {
        return wrong("name", "a name is 1 to 64 letters, digits, - and _");
    }
    if hex::decode(&caller.token_hash).map_or(0, |bytes| bytes.len()) != 32 {
        return wrong("token_hash", "it is the SHA-256 of a token, in hexadecimal");
    }
    if caller.rate.is_some_and(|rate| !rate.is_sound()) {
        return wrong("rate", "usd_per_hour and burst_usd are dollars above 0");
    }
    Ok(())
}

impl Shared {
    /// Settings, checked and opened.
    pub async fn open(settings: &GatewaySettings, key: &crate::secret::Lookup) -> Result<Self, GatewayError> {
        settings.callers.iter().try_for_each(check)?;
        let catalog = Catalog::new(settings, key)?;
        let transcripts = Transcripts::new(&settings.transcripts, catalog.keys.clone())?;
        let ledger = Ledger::open(&settings.ledger, settings.limits, &settings.callers).await?;
        let callers = settings.callers.iter().map(|caller| (caller.token_hash.to_lowercase(), caller.name.clone()));
        let telemetry = settings.telemetry.as_ref().map(|to| Telemetry::open(to, "aar-gateway")).transpose()?;
        let trace = |caller: &Caller| Some((caller.name.clone(), caller.trace?));
        let traces = Traces::new(settings.callers.iter().filter_map(trace));
        Ok(Self { catalog, ledger, transcripts, telemetry, traces, callers: RwLock::new(callers.collect()) })
    }

    /// Who asks.
    pub fn who(&self, headers: &HeaderMap) -> Result<String, Refusal> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let callers = self.callers.read().unwrap_or_else(PoisonError::into_inner);
        let name = |token: &str| callers.get(&hex::encode(Sha256::digest(token))).cloned();
        // Some agents send both, one of them a dummy.
        text("x-api-key").and_then(name).or_else(|| bearer.and_then(name)).ok_or_else(|| {
            let message = "a known token is needed, as `x-api-key` or `Authorization: Bearer …`: the one in AAR_TOKEN";
            Refusal::new(Reason::Unauthenticated, message)
        })
    }

    /// Let somebody in while the gateway runs. Settings have to say so too, or a restart forgets it.
    pub async fn admit(&self, caller: &Caller) -> Result<(), GatewayError> {
        check(caller)?;
        self.ledger.admit(&caller.name, caller.limits, caller.rate).await?;
        let mut callers = self.callers.write().unwrap_or_else(PoisonError::into_inner);
        callers.insert(caller.token_hash.to_lowercase(), caller.name.clone());
        Ok(())
    }

    /// Write a line into somebody's transcript; a full disk is the operator's to see.
    pub fn note(&self, caller: &str, event: Event) {
        if let Err(error) = self.transcripts.note(caller, now_ms(), event) {
            tracing::error!(%error, "a transcript can't be written");
        }
    }
}
