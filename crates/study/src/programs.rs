//! Programs of this machine that somebody else's agent runs: where the operator's shell finds them, and what a sandbox needs of
//! them. Inside they lie in one folder of links, so that it does not matter how they were installed here.

use crate::error::StudyError;
use crate::plan::Plan;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// What every sandbox has.
const SYSTEM: [&str; 5] = ["/usr", "/bin", "/sbin", "/lib", "/lib64"];

/// Where a program lies, links followed: the first executable file of this name in the folders of a search path.
fn find(name: &str, path: &[PathBuf]) -> Option<PathBuf> {
    let runs = |file: &PathBuf| file.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    path.iter().map(|folder| folder.join(name)).find(runs)?.canonicalize().ok()
}

/// What has to be mounted for it: nothing of the system, all packages beside one of npm, otherwise the file.
fn mount(program: &Path) -> Option<PathBuf> {
    if SYSTEM.iter().any(|folder| program.starts_with(folder)) {
        return None;
    }
    let packages = program.ancestors().filter(|folder| folder.file_name().is_some_and(|name| name == "node_modules"));
    Some(packages.last().unwrap_or(program).to_owned())
}

/// Whether this machine has what the study's agents run: better said before anything is begun.
pub fn check(plan: &Plan, path: &[PathBuf]) -> Result<(), StudyError> {
    let used = plan.researchers.iter().filter_map(|r| Some((r.agent.as_ref()?, plan.agent_of(r)?)));
    for (agent, programs) in used.map(|(name, agent)| (name, &agent.programs)) {
        if let Some((program, how)) = programs.iter().find(|(program, _)| find(program, path).is_none()) {
            return Err(StudyError::NoProgram { agent: agent.clone(), program: program.clone(), how: how.clone() });
        }
    }
    Ok(())
}

/// Fill `folder` with links to the programs; returns what to mount.
pub(crate) fn link<'a>(
    names: impl Iterator<Item = &'a String>,
    path: &[PathBuf],
    folder: &Path,
) -> Result<Vec<PathBuf>, StudyError> {
    let mut mounts = Vec::new();
    for (name, program) in names.filter_map(|name| Some((name, find(name, path)?))) {
        let link = folder.join(name);
        // One of an earlier run may lead elsewhere.
        let _ = std::fs::remove_file(&link);
        symlink(&program, &link).map_err(StudyError::file("create", &link))?;
        mounts.extend(mount(&program).filter(|mount| !mounts.contains(mount)));
    }
    Ok(mounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An executable file and the folders above it.
    fn program(at: &Path) {
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(at, PermissionsExt::from_mode(0o755)).unwrap();
    }

    #[test]
    fn links_are_followed_and_a_package_comes_with_those_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let (bin, inside) = (root.join("bin"), root.join("inside"));
        let packages = root.join("lib/node_modules");
        program(&packages.join("@x/agent/bin/agent.js"));
        program(&bin.join("alone"));
        std::fs::create_dir_all(&inside).unwrap();
        symlink(packages.join("@x/agent/bin/agent.js"), bin.join("agent")).unwrap();
        std::fs::write(bin.join("text"), "").unwrap();
        let path = [root.join("nowhere"), bin.clone(), "/bin".into()];
        let names = ["agent", "alone", "sh", "text"].map(str::to_owned);
        for _ in 0..2 {
            let mounts = link(names.iter(), &path, &inside).unwrap();
            assert_eq!(mounts, [packages.clone(), bin.join("alone")], "the system is there already");
        }
        assert!(inside.join("agent").is_file() && inside.join("sh").is_file());
        assert!(!inside.join("text").exists(), "what can't be run is no program");
    }

    #[test]
    fn what_is_missing_is_named_with_how_to_get_it() {
        let text = "name = \"s\"\ntestbed = \"harbour\"\n[models.m]\nprovider = \"http://127.0.0.1:1\"\nmodel = \"m\"\n\
            [[researchers]]\nname = \"a\"\nkind = \"command\"\nagent = \"claude-code\"\nevaluations = 1\n";
        let plan = Plan::read(text, "s.toml", false, &[]).unwrap();
        let error = check(&plan, &[]).unwrap_err();
        assert!(
            matches!(&error, StudyError::NoProgram { program, how, .. } if program == "claude" && how.starts_with("npm install")),
            "{error}"
        );
    }
}
