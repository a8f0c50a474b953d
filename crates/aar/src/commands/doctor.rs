//! `aar doctor`

use crate::failure::Failure;
use crate::{places, show};
use aar_sandbox::python::bench_beside;
use aar_sandbox::{Backend, Isolation, cgroup};
use std::process::Command;

#[derive(clap::Args)]
pub struct Options {
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let found = Isolation::detect();
    let tools = ["bwrap", "python3", "sh"].map(|tool| (tool, version(tool)));
    let worlds = places::worlds();
    let bench = bench_beside(&places::executable());
    if options.json {
        let tools: serde_json::Map<String, serde_json::Value> =
            tools.into_iter().map(|(tool, version)| (tool.to_owned(), version.into())).collect();
        let report = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"), "threads": places::threads(), "simd": show::simd(),
            "isolation": found.describe(), "backend": found.backend, "groups": cgroup::found(), "tools": tools, "python_bench": bench,
            "worlds": worlds,
        });
        aar_lab::say!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
        return Ok(());
    }
    aar_lab::say!("aar {} · {} threads, {}", env!("CARGO_PKG_VERSION"), places::threads(), show::simd());
    aar_lab::say!("isolation  {}", found.describe());
    for (backend, what) in [
        (Backend::Namespaces, "own mounts, processes, network and users; system calls filtered; limits"),
        (Backend::Landlock, "files and network ports by Landlock; system calls filtered; limits"),
    ] {
        let works = Isolation::of(backend).works() || found.backend == backend;
        aar_lab::say!("  {} {:10} {what}", if works { "yes" } else { "no " }, format!("{backend:?}").to_lowercase());
    }
    let groups = cgroup::found();
    for (version, what) in [
        (groups.memory, "memory of a whole tree of processes is limited"),
        (groups.processes, "processes are counted per jail, and none outlives it, whatever the isolation"),
    ] {
        let name = version.map_or("cgroup".to_owned(), |version| format!("cgroup v{version}"));
        aar_lab::say!("  {} {name:10} {what}", if version.is_some() { "yes" } else { "no " });
    }
    if let Some(lack) = &groups.lack {
        aar_lab::say!("      not all control groups: {lack}");
    }
    match found.backend {
        Backend::Namespaces => {}
        Backend::Landlock => {
            aar_lab::say!("  more: install bubblewrap, and allow user namespaces where you are not root")
        }
        Backend::Unconfined => {
            aar_lab::say!("  researchers would run UNCONFINED: install bubblewrap (apt-get install bubblewrap)")
        }
    }
    for (tool, version) in tools {
        aar_lab::say!("{tool:10} {}", version.unwrap_or_else(|| "not there".into()));
    }
    match bench {
        Some(folder) => aar_lab::say!("bench      for Python in {}, mounted in sandboxes", folder.display()),
        None => aar_lab::say!("bench      none for Python beside the program; `cargo xtask wheel` builds it"),
    }
    match worlds.first() {
        Some(folder) => aar_lab::say!("worlds     {}", folder.display()),
        None => aar_lab::say!("worlds     none found here; `aar mint chat --out DIR` makes one"),
    }
    Ok(())
}

fn version(tool: &str) -> Option<String> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|path| path.is_file())?;
    if tool == "sh" {
        return Some(found.display().to_string());
    }
    let output = Command::new(&found).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Some(format!("{} ({text})", found.display()))
}
