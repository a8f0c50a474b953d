//! Somebody else's agents in a study file: a shell command, what it needs, how it speaks to a model. One file describes one.

use crate::plan::ResearcherPlan;
use aar_domain::rung::Kind;
use aar_llm::wire::Wire;
use aar_server::event::Contract;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// An agent: a table `[agents.NAME]`, or a file of its own that a researcher names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentPlan {
    /// For `sh -c` inside the sandbox. It finds `AAR_BRIEF`, `AAR_LLM_URL`, `AAR_TOKEN`, `AAR_MODEL` and `lab`.
    pub command: String,
    /// How it speaks to its model; nothing for one that needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<Wire>,
    /// Files it needs in its private folder: text by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// Programs that it runs, looked up on this machine's path and lent to it: how one gets them, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub programs: BTreeMap<String, String>,
    /// Files and folders of this machine that it may read, same path inside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<PathBuf>,
    /// Environment variables with fixed values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
}

/// Agents that ship, by name.
const SHIPPED: [(&str, &str); 4] = [
    ("claude-code", include_str!("../../../agents/claude-code.toml")),
    ("codex", include_str!("../../../agents/codex.toml")),
    ("opencode", include_str!("../../../agents/opencode.toml")),
    ("script", include_str!("../../../agents/script.toml")),
];

impl ResearcherPlan {
    /// Whether a researcher of its kind knows how to hand in what a study takes.
    pub(crate) fn can_hand_in(&self, contract: Contract) -> Result<(), String> {
        if contract == Contract::Bundles || !matches!(self.kind, Kind::Search | Kind::Random) {
            return Ok(());
        }
        Err(format!(
            "researchers: {} hands in bundles, and contract = \"predictions\" takes none: leave it out and let others in with \
             `aar token add`, or give it the kind \"language-model\", \"command\" or \"human\"",
            self.name
        ))
    }
}

impl AgentPlan {
    /// One that ships, or a file.
    pub(crate) fn find(name: &str) -> Result<Self, String> {
        let shipped = SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        let text = shipped.map_or_else(|| std::fs::read_to_string(name), Ok).map_err(|error| {
            let known: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
            format!(
                "agent = {name:?}: {error}; a file, a table [agents.NAME], or one of {} is possible",
                known.join(", ")
            )
        })?;
        toml::from_str(&text).map_err(|error| format!("agent = {name:?}: {}", error.to_string().trim()))
    }

    /// What is impossible.
    pub(crate) fn check(&self, name: &str) -> Result<(), String> {
        if self.command.trim().is_empty() {
            return Err(format!("agents.{name}.command is empty"));
        }
        if let Some(program) = self.programs.keys().find(|program| program.is_empty() || program.contains('/')) {
            return Err(format!(
                "agents.{name}.programs: {program:?} is not the name of a program; mounts takes paths"
            ));
        }
        if let Some(mount) = self.mounts.iter().find(|mount| !mount.is_absolute()) {
            return Err(format!("agents.{name}.mounts: {} is not absolute", mount.display()));
        }
        if let Some(variable) = self.env.keys().find(|variable| variable.starts_with("AAR_") || *variable == "PATH") {
            return Err(format!("agents.{name}.env: {variable} is set by the study"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_that_ship_can_be_read_and_others_are_named() {
        for (name, _) in SHIPPED {
            AgentPlan::find(name).unwrap().check(name).unwrap();
        }
        let error = AgentPlan::find("no-such-agent").unwrap_err();
        assert!(error.contains("claude-code"), "{error}");
    }

    #[test]
    fn what_the_study_sets_is_not_an_agent_s() {
        let check = |text: &str, expect: &str| {
            let error = toml::from_str::<AgentPlan>(text).unwrap().check("a").unwrap_err();
            assert!(error.contains(expect), "{error}");
        };
        check("command = \" \"", "command");
        check("command = \"x\"\nmounts = [\"opt\"]", "mounts");
        check("command = \"x\"\nprograms = { \"/opt/x\" = \"\" }", "programs");
        check("command = \"x\"\n[env]\nAAR_TOKEN = \"t\"", "AAR_TOKEN");
    }
}
