//! The crate graph as cargo resolves it for this machine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use crate::steps;

/// A crate of the workspace is called by its name, an outside one `name@version`.
#[derive(Debug, Default, Clone)]
pub struct Graph {
    /// The workspace's own crates.
    pub members: BTreeSet<String>,
    /// Who needs whom, and in which builds.
    pub edges: BTreeMap<String, BTreeMap<String, Kinds>>,
}

/// In which builds a dependency takes part.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Kinds {
    /// In the product, or in building it.
    pub ships: bool,
    /// In tests, examples and benchmarks.
    pub dev: bool,
}

/// Which edges a walk may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// What ends up in the product.
    Shipped,
    /// Tests' dependencies too.
    Everything,
}

impl Graph {
    /// A shortest way from one crate to the first that `wanted` accepts, both ends included.
    pub fn path(&self, from: &str, follow: Follow, wanted: impl Fn(&str) -> bool) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            if at != from && wanted(at) {
                let mut path = vec![at.to_owned()];
                let mut step = at;
                while let Some(&before) = came_from.get(step) {
                    path.push(before.to_owned());
                    step = before;
                }
                path.reverse();
                return Some(path);
            }
            for (next, kinds) in self.edges.get(at).into_iter().flatten() {
                let open = kinds.ships || (follow == Follow::Everything && kinds.dev);
                if open && next != from && !came_from.contains_key(next.as_str()) {
                    came_from.insert(next, at);
                    queue.push_back(next);
                }
            }
        }
        None
    }

    /// Adds an edge.
    pub fn connect(&mut self, from: &str, to: &str, kinds: Kinds) {
        let edge = self.edges.entry(from.to_owned()).or_default().entry(to.to_owned()).or_default();
        edge.ships |= kinds.ships;
        edge.dev |= kinds.dev;
    }
}

/// The crate's name without its version.
pub fn bare(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

/// Asks cargo; the lock file decides the versions and nothing is fetched for other platforms.
pub fn metadata(root: &Path) -> Result<Metadata, String> {
    MetadataCommand::new()
        .cargo_path(steps::cargo().get_program())
        .manifest_path(root.join("Cargo.toml"))
        .other_options(["--locked", "--filter-platform", &host()?].map(str::to_owned))
        .exec()
        .map_err(|e| format!("cargo metadata: {e}"))
}

/// The graph of that metadata.
pub fn graph(metadata: &Metadata) -> Result<Graph, String> {
    let mut graph = Graph::default();
    let members: BTreeSet<_> = metadata.workspace_members.iter().collect();
    let name_of: BTreeMap<_, _> = metadata
        .packages
        .iter()
        .map(|package| {
            let name = package.name.to_string();
            let full = format!("{name}@{}", package.version);
            (&package.id, if members.contains(&package.id) { name } else { full })
        })
        .collect();
    graph.members = members.iter().map(|id| name_of[id].clone()).collect();
    let resolve = metadata.resolve.as_ref().ok_or("cargo metadata resolved nothing")?;
    for node in &resolve.nodes {
        for dependency in &node.deps {
            let dev = |kind: DependencyKind| kind == DependencyKind::Development;
            let kinds = Kinds {
                ships: dependency.dep_kinds.iter().any(|k| !dev(k.kind)),
                dev: dependency.dep_kinds.iter().any(|k| dev(k.kind)),
            };
            graph.connect(&name_of[&node.id], &name_of[&dependency.pkg], kinds);
        }
    }
    Ok(graph)
}

fn host() -> Result<String, String> {
    let output =
        std::process::Command::new("rustc").arg("-vV").output().map_err(|e| format!("cannot run rustc: {e}"))?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
        .ok_or_else(|| "rustc -vV names no host".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPS: Kinds = Kinds { ships: true, dev: false };
    const DEV: Kinds = Kinds { ships: false, dev: true };

    #[test]
    fn a_path_is_found_over_the_allowed_edges_only() {
        let mut graph = Graph::default();
        graph.connect("a", "b", SHIPS);
        graph.connect("b", "c@1.0.0", DEV);
        graph.connect("b", "a", SHIPS);
        let to_c = |follow| graph.path("a", follow, |name| bare(name) == "c");
        assert_eq!(to_c(Follow::Shipped), None);
        assert_eq!(to_c(Follow::Everything).unwrap().join(" "), "a b c@1.0.0");
        assert_eq!(graph.path("c@1.0.0", Follow::Everything, |_| true), None);
    }
}
