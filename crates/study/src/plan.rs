//! A study file: parsed, then overridden, then checked, then used.

use crate::agents::AgentPlan;
use crate::error::StudyError;
use crate::models::{ModelPlan, TeamPlan};
use aar_domain::directions::DIRECTIONS;
use aar_domain::family::Family;
use aar_domain::name;
use aar_domain::rung::Kind;
use aar_gateway::telemetry::TelemetrySettings;
use aar_grader::ledger::Policy;
use aar_server::event::Contract;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;
use toml::{Table, Value};

mod close;

pub use close::{Close, Examine};

/// The study that runs when no file is given.
pub const LAPTOP: &str = include_str!("../../../studies/laptop.toml");

/// A study as it was planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// A world that ships (`harbour`), a testbed's folder, `fresh` (mint one), or `import` (from `data` and `model`).
    pub testbed: String,
    /// Seeds everything that is not secret.
    #[serde(default = "one")]
    pub seed: u64,
    /// The least isolation it may run with: `namespaces`, `landlock` or `any`.
    #[serde(default = "any")]
    pub isolation: String,
    /// What is handed in: `bundles` (code that is run), or `predictions` (answers to test items that are handed out).
    #[serde(default, skip_serializing_if = "Contract::is_usual")]
    pub contract: Contract,
    /// `fresh` and `import`: `chat` (the default), `math` or `code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `import`: folder with the three files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// `import`: folder with the student's checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<PathBuf>,
    /// How bundles are evaluated.
    #[serde(default)]
    pub evaluation: Evaluation,
    /// What researchers get to know of scores.
    #[serde(default)]
    pub feedback: FeedbackPlan,
    /// Families of ideas that this study does without: no researcher draws from them, no baseline belongs to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Family>,
    /// Language models that researchers may be given, by a name of your choice.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, ModelPlan>,
    /// Somebody else's agents, by a name of your choice.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub agents: BTreeMap<String, AgentPlan>,
    /// What researchers with a language model have together.
    #[serde(default, skip_serializing_if = "TeamPlan::is_default")]
    pub team: TeamPlan,
    /// Where spans of calls to language models go; nowhere where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<TelemetrySettings>,
    /// Who works on it; nobody of its own in a study that is only served.
    #[serde(default)]
    pub researchers: Vec<ResearcherPlan>,
    /// How it ends.
    #[serde(default)]
    pub close: Close,
}

fn one() -> u64 {
    1
}

fn any() -> String {
    "any".into()
}

/// How bundles are evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Evaluation {
    /// Seeds per bundle.
    pub seeds: usize,
    /// Shipped recipes that are run before anybody starts; the first is plain.
    pub baselines: Vec<String>,
    /// Seconds that `train` may take.
    pub wall_s: u64,
    /// CPU-seconds that `train` may use.
    pub cpu_s: u64,
    /// Mebibytes that `train` may use.
    pub memory_mib: u64,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self { seeds: 3, baselines: vec!["plain".into()], wall_s: 180, cpu_s: 180, memory_mib: 4096 }
    }
}

/// What researchers get to know of scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeedbackPlan {
    /// How answers are coarsened.
    pub policy: Policy,
    /// Bits that all answers together may give away; enough for every planned evaluation by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<f64>,
}

impl Default for FeedbackPlan {
    fn default() -> Self {
        // The policy that keeps the promise of SECURITY.md; a study file may ask for more talkative ones.
        Self { policy: Policy::Ladder { step: 0.05 }, bits: None }
    }
}

/// One researcher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResearcherPlan {
    /// Unique; letters, digits and dashes.
    pub name: String,
    /// `search`, `random`, `language-model`, `command`: somebody else's agent, or `human`.
    pub kind: Kind,
    /// So many of this kind: NAME-1, NAME-2, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Its language model, by its name in `[models]`; may be left out where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Of kind `command`: a name in `[agents]`, an agent that ships (`claude-code`, …), or a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// A vague starting direction; one of nine is given where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// Evaluations it may use.
    pub evaluations: u32,
    /// Families of ideas it never draws from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Family>,
}

impl ResearcherPlan {
    /// Whether it is a language model or somebody else's agent.
    pub fn is_agent(&self) -> bool {
        matches!(self.kind, Kind::LanguageModel | Kind::Command)
    }

    /// One plan for each of `count`.
    fn each(&self) -> Vec<ResearcherPlan> {
        let Some(count) = self.count else {
            return vec![self.clone()];
        };
        let one = |number: u32| Self { name: format!("{}-{number}", self.name), count: None, ..self.clone() };
        (1..=count.min(1000)).map(one).collect()
    }
}

fn bound(field: &str, value: usize, low: usize, high: usize) -> Result<(), String> {
    match (low..=high).contains(&value) {
        true => Ok(()),
        false => Err(format!("{field} = {value}: {low} to {high} is possible")),
    }
}

/// Teachers of a testbed: every evaluation seed has one of its own.
const TEACHERS: usize = 16;

impl Plan {
    /// Parse a study file, apply `--quick` and `--set key=value`, check. `place` names the file in messages.
    pub fn read(text: &str, place: &str, quick: bool, sets: &[String]) -> Result<Self, StudyError> {
        let wrong = |detail: String| StudyError::Plan { place: place.into(), detail };
        let mut table: Table =
            text.parse().map_err(|error: toml::de::Error| wrong(error.to_string().trim().to_owned()))?;
        let small = table.remove("quick");
        if quick {
            let Some(Value::Table(small)) = small else {
                return Err(wrong("has no [quick] table, so --quick does not know what to make smaller".into()));
            };
            make_quick(&mut table, small).map_err(wrong)?;
        }
        for set in sets {
            let (key, value) = set.split_once('=').ok_or_else(|| StudyError::Plan {
                place: format!("--set {set}"),
                detail: "key=value is needed, for instance --set close.seeds=5".into(),
            })?;
            // What is not a TOML value is meant as text: --set testbed=fresh.
            let value = format!("value = {value}")
                .parse::<Table>()
                .ok()
                .and_then(|mut t| t.remove("value"))
                .unwrap_or_else(|| Value::String(value.into()));
            put(&mut table, key, value).map_err(|detail| StudyError::Plan { place: format!("--set {set}"), detail })?;
        }
        // Through text once more, so that a message can point at the line of what is wrong.
        let merged = toml::to_string(&table).map_err(|error| wrong(error.to_string()))?;
        let mut plan: Plan =
            toml::from_str(if sets.is_empty() && !quick && !table_has_quick(text) { text } else { &merged })
                .map_err(|error| wrong(error.to_string().trim().to_owned()))?;
        plan.researchers = plan.researchers.iter().flat_map(ResearcherPlan::each).collect();
        let free: Vec<&str> = DIRECTIONS
            .into_iter()
            .filter(|text| !plan.researchers.iter().any(|r| r.direction.as_deref() == Some(*text)))
            .collect();
        let mut free = free.into_iter().cycle();
        let directed = plan.team.directed;
        let wants =
            |r: &&mut ResearcherPlan| r.direction.is_none() && (r.kind == Kind::Search || (r.is_agent() && directed));
        for researcher in plan.researchers.iter_mut().filter(wants) {
            researcher.direction = free.next().map(str::to_owned);
        }
        plan.find_agents().map_err(wrong)?;
        plan.check().map_err(wrong)?;
        Ok(plan)
    }

    fn check(&self) -> Result<(), String> {
        bound("evaluation.seeds", self.evaluation.seeds, 1, 8)?;
        bound("close.seeds", self.close.seeds, 2, 15)?;
        bound("evaluation.seeds + close.seeds", self.evaluation.seeds + self.close.seeds, 3, TEACHERS)?;
        bound("close.finalists", self.close.finalists, 1, 4)?;
        bound("evaluation.wall_s", self.evaluation.wall_s as usize, 5, 86_400)?;
        bound("evaluation.cpu_s", self.evaluation.cpu_s as usize, 5, 864_000)?;
        bound("evaluation.memory_mib", self.evaluation.memory_mib as usize, 256, 1 << 20)?;
        bound("researchers", self.researchers.len(), 0, 64)?;
        if self.evaluation.baselines.first().map(String::as_str) != Some("plain") {
            return Err("evaluation.baselines must start with \"plain\": everything is compared with it".into());
        }
        if !["any", "landlock", "namespaces"].contains(&self.isolation.as_str()) {
            return Err(format!("isolation = {:?}: any, landlock or namespaces is possible", self.isolation));
        }
        let step = self.feedback.policy.step();
        if self.feedback.policy != Policy::Exact && !(0.001..=1.0).contains(&step) {
            return Err(format!("feedback.policy.step = {step}: 0.001 to 1 is possible"));
        }
        if self.feedback.bits.is_some_and(|bits| !(0.0..=1e6).contains(&bits)) {
            return Err("feedback.bits must lie between 0 and 1000000".into());
        }
        self.check_researchers()?;
        self.team.check()?;
        self.telemetry.as_ref().map_or(Ok(()), TelemetrySettings::check)?;
        for (name, model) in &self.models {
            model.check(name)?;
        }
        for (name, agent) in &self.agents {
            agent.check(name)?;
        }
        let paid = self.models.values().any(|model| !model.is_free());
        if self.researchers.iter().any(|researcher| self.speaks(researcher)) && paid && self.team.usd.is_none() {
            return Err("team.usd is missing: say what the team may spend on its models, for instance usd = 20".into());
        }
        if self.testbed == "import" && (self.data.is_none() || self.model.is_none()) {
            return Err("testbed = \"import\" needs data and model: --set data=DIR --set model=DIR".into());
        }
        Ok(())
    }

    fn check_researchers(&self) -> Result<(), String> {
        let mut names = std::collections::BTreeSet::new();
        for researcher in &self.researchers {
            name::check(&researcher.name).map_err(|wrong| format!("researchers: {wrong}"))?;
            if !names.insert(&researcher.name) {
                return Err(format!("researchers: the name {:?} is taken", researcher.name));
            }
            if matches!(researcher.kind, Kind::Baseline | Kind::Control) {
                return Err(format!(
                    "researchers: {} is of a kind that a study does not have; search, random, language-model, command or human",
                    researcher.name
                ));
            }
            if self.speaks(researcher) {
                self.model_of(researcher)?;
            }
            researcher.can_hand_in(self.contract)?;
            bound(&format!("evaluations of {}", researcher.name), researcher.evaluations as usize, 1, 1000)?;
        }
        Ok(())
    }

    /// Bring what researchers name as their agent into the plan, so that its hash covers it.
    fn find_agents(&mut self) -> Result<(), String> {
        for researcher in self.researchers.iter().filter(|researcher| researcher.kind == Kind::Command) {
            let name = researcher.agent.clone().ok_or_else(|| {
                format!("researchers: {} needs agent = a name in [agents], one that ships, or a file", researcher.name)
            })?;
            if let Entry::Vacant(place) = self.agents.entry(name) {
                let agent = AgentPlan::find(place.key())?;
                place.insert(agent);
            }
        }
        Ok(())
    }

    /// Whether anybody runs what a language model or an agent wrote.
    pub fn has_agents(&self) -> bool {
        self.researchers.iter().any(ResearcherPlan::is_agent)
    }

    /// A researcher's agent, where it is somebody else's.
    pub fn agent_of(&self, researcher: &ResearcherPlan) -> Option<&AgentPlan> {
        self.agents.get(researcher.agent.as_ref().filter(|_| researcher.kind == Kind::Command)?)
    }

    /// Whether a researcher speaks to a language model through the gateway.
    pub fn speaks(&self, researcher: &ResearcherPlan) -> bool {
        researcher.kind == Kind::LanguageModel
            || self.agent_of(researcher).is_some_and(|agent| agent.wire.is_some() || researcher.model.is_some())
    }

    /// A researcher's language model: its name among `models`, and what is said of it.
    pub fn model_of(&self, researcher: &ResearcherPlan) -> Result<(&str, &ModelPlan), String> {
        let names = || self.models.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let found = match &researcher.model {
            Some(name) => self.models.get_key_value(name),
            None if self.models.len() == 1 => self.models.iter().next(),
            None => None,
        };
        found.map(|(name, model)| (name.as_str(), model)).ok_or_else(|| match (&researcher.model, self.models.len()) {
            (_, 0) => "a language-model researcher needs a [models.NAME] with provider and model".into(),
            (Some(name), _) => format!("researchers: {} has model = {name:?}; there are {}", researcher.name, names()),
            (None, _) => format!("researchers: {} needs model = one of {}", researcher.name, names()),
        })
    }

    /// SHA-256 over the plan: what makes a directory this study's. Finalist rule and analysis are versioned with it.
    pub fn hash(&self) -> String {
        let text = serde_json::to_string(&(ANALYSIS, self)).unwrap_or_default();
        hex::encode(Sha256::digest(text))
    }

    /// Evaluations of all researchers.
    pub fn evaluations(&self) -> u32 {
        self.researchers.iter().map(|researcher| researcher.evaluations).sum()
    }
}

/// Finalist rule and analysis; changes whenever they do.
pub const ANALYSIS: &str = "2: finalists = each random control's best by feedback PGR, then the best others, distinct bundles that no binding verdict holds; \
     two-level bootstrap, 2000 replicates; paired t test against plain, Holm over finalists; between finalists, Holm over their pairs";

fn table_has_quick(text: &str) -> bool {
    text.parse::<Table>().is_ok_and(|table| table.contains_key("quick"))
}

fn make_quick(table: &mut Table, small: Table) -> Result<(), String> {
    for (key, value) in small {
        if key == "evaluations_per_researcher" {
            let researchers = table.get_mut("researchers").and_then(Value::as_array_mut);
            for researcher in researchers.into_iter().flatten().filter_map(Value::as_table_mut) {
                researcher.insert("evaluations".into(), value.clone());
            }
        } else {
            put(table, &key, value)?;
        }
    }
    Ok(())
}

/// Set a dotted key.
fn put(table: &mut Table, key: &str, value: Value) -> Result<(), String> {
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().filter(|last| !last.is_empty()).ok_or("the key is empty")?;
    let mut at = table;
    for part in parts {
        at = at
            .entry(part)
            .or_insert_with(|| Value::Table(Table::new()))
            .as_table_mut()
            .ok_or_else(|| format!("{part} is not a table"))?;
    }
    at.insert(last.into(), value);
    Ok(())
}

#[cfg(test)]
mod tests;
