//! The Python bench: a folder of modules beside the program, which Python inside finds.

use crate::jail::{Access, Jail, Mount};
use std::path::{Path, PathBuf};

/// Where it lies inside.
pub const PYTHON_INSIDE: &str = "/opt/aar/python";

/// The bench beside a program, if it is there: `python/` in the program's folder, with the module `aar`.
pub fn bench_beside(program: &Path) -> Option<PathBuf> {
    let folder = program.parent()?.join("python");
    folder.join("aar").is_dir().then_some(folder)
}

impl Jail {
    /// Let Python inside import the bench beside `program`, where it is. `threads`: of NumPy's own matrix products, which
    /// would start one per processor of the host and run into the limits.
    pub fn with_python(mut self, program: &Path, threads: usize) -> Self {
        let Some(host) = bench_beside(program) else { return self };
        self.mounts.push(Mount { host, inside: PYTHON_INSIDE.into(), access: Access::ReadOnly });
        self.env.push(("PYTHONPATH".into(), PYTHON_INSIDE.into()));
        self.env.push(("OPENBLAS_NUM_THREADS".into(), threads.to_string()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bench_is_mounted_read_only_where_it_is_and_nothing_is_where_it_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("aar");
        assert_eq!(Jail::default().with_python(&program, 1), Jail::default());
        std::fs::create_dir_all(dir.path().join("python/aar")).unwrap();
        let jail = Jail::default().with_python(&program, 2);
        let mount = &jail.mounts[0];
        assert_eq!((&mount.host, mount.access), (&dir.path().join("python"), Access::ReadOnly));
        assert!(jail.env.contains(&("PYTHONPATH".into(), mount.inside.to_string_lossy().into_owned())));
        assert!(jail.env.contains(&("OPENBLAS_NUM_THREADS".into(), "2".into())));
    }
}
