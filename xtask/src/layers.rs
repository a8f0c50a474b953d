//! The wall, checked on the crate graph: what is *inside* can never reach what is *outside*.
//!
//! One table places every room on a side and a level; [`APART`] adds what must stay apart although
//! sides and levels would allow it. A crate that is not in the table is an error, so that a new
//! room is placed deliberately, and so is a name in a table that no crate bears: a check on a
//! misspelt name would always pass.

use std::path::Path;

use crate::graph::{self, Follow, Graph, bare};

mod table;

use table::{ALONE, APART, BY_DOMAIN, PURE, ROOMS, WORLDLY};

/// Which side of the wall a room stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// What a researcher may hold.
    Inside,
    /// What both sides may use.
    Both,
    /// What only the operator holds.
    Outside,
    /// The project's own chores; no part of the product.
    Chores,
}

impl Side {
    /// May a crate on this side use one on that side? (On the same side, levels decide further.)
    fn may_use(self, other: Side) -> bool {
        match self {
            Side::Inside => matches!(other, Side::Inside | Side::Both),
            Side::Both => other == Side::Both,
            Side::Outside => other != Side::Chores,
            Side::Chores => false,
        }
    }
}

struct Room {
    name: &'static str,
    side: Side,
    level: u8,
}

/// Two rooms of which the first must not reach the second in what ships, and why.
struct Apart {
    from: &'static str,
    to: &'static [&'static str],
    why: &'static str,
}

/// Checks the workspace's graph.
pub fn check(root: &Path) -> Result<(), String> {
    let graph = graph::graph(&graph::metadata(root)?)?;
    let found = findings(&graph);
    if !found.is_empty() {
        return Err(format!("the wall has {} holes:\n  {}", found.len(), found.join("\n  ")));
    }
    println!("{} rooms in their places, no way from inside to outside", graph.members.len());
    Ok(())
}

fn findings(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(misplaced(graph));
    found.extend(bad_edges(graph));
    found.extend(holes(graph));
    found.extend(not_apart(graph));
    found.extend(impure(graph));
    found
}

fn room(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// Crates without a place, and places or prohibitions without a crate.
fn misplaced(graph: &Graph) -> Vec<String> {
    let unknown = graph
        .members
        .iter()
        .filter(|name| room(name).is_none())
        .map(|name| format!("{name} has no place: give it a side and a level in xtask/src/layers/table.rs"));
    let named = ROOMS
        .iter()
        .map(|room| room.name)
        .chain(APART.iter().flat_map(|rule| rule.to.iter().copied().chain([rule.from])))
        .chain(PURE.iter().copied());
    let mut missing: Vec<_> = named.filter(|name| !graph.members.contains(*name)).collect();
    missing.sort_unstable();
    missing.dedup();
    let missing = missing
        .into_iter()
        .map(|name| format!("the tables name {name}, but there is no such crate: a check on it would be empty"));
    unknown.chain(missing).collect()
}

/// Direct edges against sides and levels. Tests may look sideways and up, never through the wall.
fn bad_edges(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    for (from, needs) in &graph.edges {
        let Some(user) = room(from) else { continue };
        for (to, kinds) in needs {
            let Some(used) = room(to) else { continue };
            let (a, b) = (user.level, used.level);
            if !user.side.may_use(used.side) {
                found.push(format!("{from} ({:?}) needs {to} ({:?})", user.side, used.side));
            } else if kinds.ships && user.side == used.side && b >= a {
                found.push(format!("{from} (level {a}) needs {to} (level {b}): not downwards"));
            }
        }
    }
    found
}

/// Ways from inside to outside over whatever crates and however long, tests included.
fn holes(graph: &Graph) -> Vec<String> {
    let outside = |name: &str| room(name).is_some_and(|r| r.side == Side::Outside);
    let guarded = ROOMS.iter().filter(|room| matches!(room.side, Side::Inside | Side::Both));
    guarded
        .filter_map(|room| graph.path(room.name, Follow::Everything, outside))
        .map(|path| format!("a way through the wall: {}", path.join(" → ")))
        .collect()
}

fn not_apart(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    for Apart { from, to, why } in APART {
        for forbidden in *to {
            if let Some(path) = graph.path(from, Follow::Shipped, |name| name == *forbidden) {
                found.push(format!("{}: {why}", path.join(" → ")));
            }
        }
    }
    found
}

/// Rooms that do no input or output, and what `domain` may be built on.
fn impure(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    for name in PURE {
        let worldly = |other: &str| WORLDLY.contains(&bare(other));
        if let Some(path) = graph.path(name, Follow::Shipped, worldly) {
            found.push(format!("{}: {name} speaks to nobody", path.join(" → ")));
        }
    }
    for name in ALONE {
        let needs = graph.edges.get(*name).into_iter().flatten();
        for (other, _) in needs.filter(|(_, kinds)| kinds.ships) {
            if !BY_DOMAIN.contains(&bare(other)) {
                found.push(format!("{name} → {other}: not among the crates {name} may use"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
