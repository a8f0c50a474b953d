//! What goes wrong at the model's endpoint while the team works. Every researcher meets every fault, each at another time.

use aar_llm::conversation::Request;
use aar_scripted::action::Action;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The tool whose calls come broken, and how the ids of these calls begin.
pub const BROKEN: &str = "budget";
/// Every third answer goes wrong.
const EVERY: usize = 3;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// 429.
    Busy,
    /// The answer breaks off.
    Cut,
    /// The call of a tool has arguments that are no JSON.
    Broken,
    /// 500.
    Down,
    /// Nothing ever comes.
    Hung,
}

const ALL: [Fault; 5] = [Fault::Busy, Fault::Cut, Fault::Broken, Fault::Down, Fault::Hung];

/// What went wrong so far: of every researcher, for each of its calls.
#[derive(Default)]
pub struct Faults(Mutex<BTreeMap<String, Vec<Option<Fault>>>>);

impl Faults {
    /// What the policy says, or what comes in its place.
    pub fn act(&self, request: &Request, caller: &str, policy: fn(&Request, &str) -> Action) -> Action {
        let me: usize = caller.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        let (number, fault) = {
            let mut all = self.0.lock().unwrap();
            let met = all.entry(caller.to_owned()).or_default();
            let number = met.len();
            let fault = (number % EVERY == me % EVERY).then(|| ALL[(number / EVERY + me) % ALL.len()]);
            met.push(fault);
            (number, fault)
        };
        match (fault, policy(request, caller)) {
            (Some(Fault::Busy), _) => Action::Status { code: 429, retry_after: Some(0) },
            (Some(Fault::Down), _) => Action::Status { code: 500, retry_after: None },
            (Some(Fault::Hung), _) => Action::Hang,
            (Some(Fault::Cut), Action::Reply(reply)) => Action::Cut { reply, after: 200 },
            (Some(Fault::Broken), _) => {
                Action::call(&format!("{BROKEN}-{number}"), BROKEN, json!(format!("{{\"rows\": {number}")))
            }
            (_, action) => action,
        }
    }

    /// Somebody's.
    pub fn met(&self, caller: &str) -> Vec<Option<Fault>> {
        self.0.lock().unwrap().get(caller).cloned().unwrap_or_default()
    }

    /// Nobody was spared: each kind was met by most.
    pub fn reached_most(&self, result: &Value) {
        let names: Vec<&str> =
            result["researchers"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        for fault in ALL {
            let met = names.iter().filter(|name| self.met(name).contains(&Some(fault))).count();
            assert!(2 * met > names.len(), "{fault:?} was met by {met} of {}", names.len());
        }
    }
}
