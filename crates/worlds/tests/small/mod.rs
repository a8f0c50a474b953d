//! A testbed for tests: the world that ships, with few rows to train on.

use aar_worlds::bench::Entrant;
use std::path::Path;

/// In a folder that exists.
pub fn small(dir: &Path) -> Entrant {
    let harbour = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds/harbour").canonicalize().unwrap();
    for folder in ["public", "hidden"] {
        std::fs::create_dir(dir.join(folder)).unwrap();
    }
    for name in
        ["testbed.json", "public/problem.json", "public/student", "hidden/weak", "hidden/inputs", "hidden/truth"]
    {
        std::os::unix::fs::symlink(harbour.join(name), dir.join(name)).unwrap();
    }
    let pool = std::fs::read_to_string(harbour.join("public/pool.jsonl")).unwrap();
    let few: String = pool.lines().take(96).map(|line| format!("{line}\n")).collect();
    std::fs::write(dir.join("public/pool.jsonl"), few).unwrap();
    Entrant::open(dir).unwrap()
}
