//! The endpoint: a thread of its own, a policy, a record.

use crate::action::Action;
use crate::answer;
use crate::serving::Serving;
use aar_llm::conversation::{Request, Usage};
use aar_llm::wire::Wire;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// What stands in place of a model: the request, who asks (header `x-aar-caller`, or nobody), what comes back.
pub type Policy = dyn Fn(&Request, &str) -> Action + Send + Sync;

/// One call as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who asked.
    pub caller: String,
    /// In which format.
    pub wire: Wire,
    /// What.
    pub request: Request,
    /// The same, as it came.
    pub body: Value,
    /// What was billed: nothing for a failure, what was sent for an answer that was cut off.
    pub billed: Usage,
}

/// What requests share.
pub(crate) struct Shared {
    pub key: String,
    pub policy: Box<Policy>,
    pub asked: Mutex<Vec<Asked>>,
    /// What each caller sent last.
    pub prompts: Mutex<BTreeMap<String, String>>,
    pub refused: Mutex<usize>,
    pub gate: Semaphore,
}

/// A running endpoint. Ended when dropped.
pub struct Endpoint {
    serving: Serving,
    shared: Arc<Shared>,
}

/// A poisoned lock is a policy's failed assertion; what was recorded stays right.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Endpoint {
    /// Listen on a free loopback port, for callers that know the key.
    pub fn start(
        key: &str,
        policy: impl Fn(&Request, &str) -> Action + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            key: key.to_owned(),
            policy: Box::new(policy),
            asked: Mutex::default(),
            prompts: Mutex::default(),
            refused: Mutex::default(),
            gate: Semaphore::new(0),
        });
        let serving = Serving::start(answer::router(shared.clone()))?;
        Ok(Self { serving, shared })
    }

    /// Its base URL: what stands before `/v1/…`.
    pub fn url(&self) -> String {
        format!("http://{}", self.serving.address)
    }

    /// Every call with the right key, in order of coming.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.shared.asked).clone()
    }

    /// Calls with a wrong key, or none.
    pub fn refused(&self) -> usize {
        *lock(&self.shared.refused)
    }

    /// What was billed in all.
    pub fn billed(&self) -> Usage {
        let mut sum = Usage::default();
        self.asked().iter().for_each(|asked| sum += asked.billed);
        sum
    }

    /// What was billed for each caller.
    pub fn billed_by_caller(&self) -> BTreeMap<String, Usage> {
        let mut sums = BTreeMap::<String, Usage>::new();
        for asked in self.asked() {
            *sums.entry(asked.caller).or_default() += asked.billed;
        }
        sums
    }

    /// Let one held answer go on.
    pub fn release(&self) {
        self.shared.gate.add_permits(1);
    }
}
