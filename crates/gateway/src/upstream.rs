//! A provider with its manners: so many calls at once, and another try after a pause where that can help.

use crate::error::GatewayError;
use crate::provider::http::Http;
use crate::provider::replay::Replay;
use crate::provider::{Answer, Outgoing, Provider, Unanswered};
use crate::secret::{Key, Lookup};
use crate::settings::{HttpSettings, ProviderSettings};
use aar_llm::wire::Wire;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A provider with its manners.
pub struct Upstream {
    /// Its name in the settings.
    pub name: String,
    /// Its key, to be kept out of answers.
    pub key: Option<Key>,
    provider: Box<dyn Provider>,
    permits: Arc<Semaphore>,
    retries: u32,
    backoff: Duration,
    longest_wait: Duration,
}

/// What came of asking.
pub struct Attempted {
    /// How often.
    pub attempts: u32,
    /// The last answer, or why there is none.
    pub answer: Result<Answer, Unanswered>,
    /// Held until the answer has been read.
    pub permit: Option<OwnedSemaphorePermit>,
}

impl Upstream {
    /// A provider as settings say. `key` looks up an environment variable.
    pub fn new(name: &str, settings: &ProviderSettings, key: &Lookup) -> Result<Self, GatewayError> {
        match settings {
            ProviderSettings::Http(http) => {
                let key = match &http.key_env {
                    None => None,
                    Some(variable) => Some(key(variable).ok_or_else(|| GatewayError::NoKey {
                        provider: name.to_owned(),
                        variable: variable.clone(),
                    })?),
                };
                let provider = Box::new(Http::new(name, http, key.clone())?);
                Ok(Self::with(name, provider, http, key))
            }
            ProviderSettings::Replay { transcripts, in_order } => Ok(Self {
                name: name.to_owned(),
                key: None,
                provider: Box::new(Replay::new(transcripts, *in_order)),
                permits: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
                retries: 0,
                backoff: Duration::ZERO,
                longest_wait: Duration::ZERO,
            }),
        }
    }

    fn with(name: &str, provider: Box<dyn Provider>, http: &HttpSettings, key: Option<Key>) -> Self {
        Self {
            name: name.to_owned(),
            key,
            provider,
            permits: Arc::new(Semaphore::new(http.concurrent.clamp(1, Semaphore::MAX_PERMITS))),
            retries: http.retries,
            backoff: Duration::from_millis(http.backoff_ms),
            longest_wait: Duration::from_secs(http.longest_wait_s),
        }
    }

    /// Formats that it speaks.
    pub fn wires(&self) -> &[Wire] {
        self.provider.wires()
    }

    /// Ask, and ask again while the endpoint says "not now" or is not there. The place among the concurrent calls is kept during
    /// pauses, so that a busy endpoint is asked less by everybody. What may have been charged is not asked again: a call that
    /// arrived and was not answered, an answer that had begun.
    pub async fn ask(&self, call: i64, outgoing: &Outgoing) -> Attempted {
        let permit = self.permits.clone().acquire_owned().await.ok();
        let mut attempts = 0;
        loop {
            let answer = self.provider.ask(outgoing).await;
            attempts += 1;
            let asked_for = match &answer {
                Ok(answer) if not_now(answer.status) => answer.retry_after,
                Err(Unanswered::Unreachable(_)) => None,
                _ => return Attempted { attempts, answer, permit },
            };
            let pause = self.pause(call, attempts, asked_for);
            if attempts > self.retries || pause > self.longest_wait {
                return Attempted { attempts, answer, permit };
            }
            drop(answer);
            tokio::time::sleep(pause).await;
        }
    }

    /// What the endpoint asks for, or twice as long each time, less up to a half by chance (the call's number is the seed).
    fn pause(&self, call: i64, attempt: u32, asked_for: Option<f64>) -> Duration {
        let asked_for = asked_for.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
        let doubled = self.backoff.saturating_mul(1 << (attempt - 1).min(16)).min(self.longest_wait);
        let seed = call.unsigned_abs().wrapping_mul(1_000_003).wrapping_add(u64::from(attempt));
        let own = doubled.mul_f64(ChaCha8Rng::seed_from_u64(seed).random_range(0.5..1.0));
        asked_for.unwrap_or(Duration::ZERO).max(own)
    }
}

/// Statuses after which another try can help, and for which providers charge nothing.
fn not_now(status: u16) -> bool {
    matches!(status, 408 | 409 | 425 | 429 | 500 | 502 | 503 | 504 | 529)
}
