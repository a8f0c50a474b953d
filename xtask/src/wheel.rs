//! The bench for Python: built, tested by pytest, laid out beside the program.
//!
//! ```text
//! python3 -m venv ──► target/python           maturin, NumPy, pytest as python/requirements.txt pins them
//! maturin build   ──► target/wheels           one abi3 wheel, for people; `slow wheel` tests it
//! cargo build     ──► target/python-module    the same module from the workspace's own build, for CI
//! pip --target    ──► target/release/python   either of them, and NumPy where the sandboxes' Python has none
//! ```
//!
//! Maturin asks cargo for one package, whose dependencies have fewer features than the workspace's: some 125 crates are compiled
//! once more. A sandbox sees the system's Python ([`SYSTEM`]), which may be another than the one on the path.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::steps;

/// Where a sandbox looks for `python3`.
const SYSTEM: &[&str] = &["/usr/local/bin/python3", "/usr/bin/python3", "/bin/python3"];

/// Why there is no wheel.
#[derive(Debug)]
pub enum Missing {
    /// This machine lacks what it takes: a reason to skip.
    Here(String),
    /// It was tried and went wrong: a failure.
    Broken(String),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Missing::Here(why) | Missing::Broken(why)) = self;
        f.write_str(why)
    }
}

/// What maturin writes for a package that is one extension module.
const INIT: &str =
    "from .aar import *\n\n__doc__ = aar.__doc__\nif hasattr(aar, \"__all__\"):\n    __all__ = aar.__all__\n";

/// The step of CI: build the module, lay it out, test it; says why where this machine lacks Python or can't get the packages.
pub fn test(root: &Path) -> Result<(), String> {
    told(module(root).and_then(|python| pytest(root, &python, Some(&root.join("target/python-module")))))
}

/// The slow step: the same for the wheel.
pub fn test_wheel(root: &Path) -> Result<(), String> {
    let built = build(root).and_then(|python| program(root).map(|()| python));
    told(built.and_then(|python| pytest(root, &python, None)))
}

fn told(outcome: Result<(), Missing>) -> Result<(), String> {
    match outcome {
        Err(Missing::Here(why)) => {
            println!("skipped: {why}, so the bench for Python was not tested");
            Ok(())
        }
        done => done.map_err(|missing| missing.to_string()),
    }
}

/// Build the wheel, unpack it beside the program and install it into an environment, whose Python is given.
pub fn build(root: &Path) -> Result<PathBuf, Missing> {
    let python = environment(root)?;
    let wheels = root.join("target/wheels");
    // An older wheel must not be taken for the new one.
    let _ = std::fs::remove_dir_all(&wheels);
    let mut maturin = steps::outside(Command::new(python.with_file_name("maturin")));
    maturin.args(["build", "--release", "--locked", "--out"]).arg(&wheels).current_dir(root.join("python"));
    if !maturin.status().is_ok_and(|status| status.success()) {
        return Err(Missing::Broken("maturin could not build the wheel".to_owned()));
    }
    let mut built = std::fs::read_dir(&wheels).into_iter().flatten().flatten().map(|entry| entry.path());
    let wheel = built.next().ok_or_else(|| Missing::Broken(format!("no wheel in {}", wheels.display())))?;
    pip(&python, &["install", "--force-reinstall", "--no-deps"], &[&wheel])?;
    beside_the_program(root, &python, &|target, version| {
        pip(&python, &[&for_version(version)[..], &["--target", target]].concat(), &[&wheel])
    })?;
    Ok(python)
}

/// Lay out what the workspace's own build makes of the module, as the wheel has it; gives the Python that can test it.
pub fn module(root: &Path) -> Result<PathBuf, Missing> {
    let python = environment(root)?;
    program(root)?;
    let package = root.join("target/python-module/aar");
    let lay_out = |package: &Path| {
        std::fs::create_dir_all(package)?;
        std::fs::write(package.join("__init__.py"), INIT)?;
        std::fs::write(package.join("py.typed"), "")?;
        std::fs::copy(root.join("python/aar.pyi"), package.join("__init__.pyi"))?;
        std::fs::copy(root.join("target/release/libaar_python.so"), package.join("aar.abi3.so")).map(|_| ())
    };
    let broken = |e: std::io::Error| Missing::Broken(format!("lay out the bench for Python: {e}"));
    lay_out(&package).map_err(broken)?;
    beside_the_program(root, &python, &|target, _| lay_out(&Path::new(target).join("aar")).map_err(broken))?;
    Ok(python)
}

/// The program, the module and what else is not a test, with the features that the tests have: with others all would be built once more.
fn program(root: &Path) -> Result<(), Missing> {
    let build = ["build", "--release", "--workspace", "--lib", "--bins", "--example", "shown_study"];
    match steps::cargo().args(build).current_dir(root).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Missing::Broken("the program could not be built".to_owned())),
    }
}

/// A Python with what `python/requirements.txt` asks for, made once below `target`.
fn environment(root: &Path) -> Result<PathBuf, Missing> {
    let folder = root.join("target/python");
    let (python, installed) = (folder.join("bin/python"), folder.join("requirements.txt"));
    let pins = root.join("python/requirements.txt");
    let wanted = std::fs::read(&pins).map_err(|e| Missing::Broken(format!("read {}: {e}", pins.display())))?;
    if std::fs::read(&installed).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    let able = |python: &str| said(Command::new(python).args(["-c", "import venv, ensurepip"])).is_ok();
    let base = SYSTEM.iter().copied().chain(["python3"]).find(|python| able(python));
    let base = base.ok_or_else(|| Missing::Here("there is no Python with venv here".to_owned()))?;
    said(Command::new(base).args(["-m", "venv", "--clear"]).arg(&folder)).map_err(Missing::Here)?;
    pip(&python, &["install", "--requirement"], &[&pins])?;
    std::fs::write(&installed, wanted).map_err(|e| Missing::Broken(format!("write {}: {e}", installed.display())))?;
    Ok(python)
}

/// How pip is told to install for another Python than its own.
fn for_version(version: &str) -> [&str; 6] {
    ["install", "--no-deps", "--only-binary=:all:", "--implementation=cp", "--python-version", version]
}

/// Put the module where sandboxes find it, with NumPy for their Python. `put` is told the folder and that Python's version.
fn beside_the_program(
    root: &Path,
    python: &Path,
    put: &dyn Fn(&str, &str) -> Result<(), Missing>,
) -> Result<(), Missing> {
    const ASK: &str =
        "import sys, importlib.util as u; print('%d.%d' % sys.version_info[:2], u.find_spec('numpy') is not None)";
    let inside = SYSTEM.iter().find(|path| Path::new(path).exists());
    let answer = inside.map(|inside| said(Command::new(inside).args(["-I", "-c", ASK])));
    let Some(Ok(answer)) = answer else {
        println!("nothing to lay out: sandboxes see no Python here ({} are looked at)", SYSTEM.join(", "));
        return Ok(());
    };
    let (version, has_numpy) = answer.split_once(' ').unwrap_or((&answer, "False"));
    let (place, fresh) = (root.join("target/release/python"), root.join("target/release/python.partial"));
    let _ = std::fs::remove_dir_all(&fresh);
    let target = fresh.to_string_lossy().into_owned();
    put(&target, version)?;
    if has_numpy == "False" {
        let pins = root.join("python/requirements.txt");
        let how = [&for_version(version)[..], &["--target", &target, "numpy", "--constraint"]].concat();
        pip(python, &how, &[&pins])?;
    }
    let _ = std::fs::remove_dir_all(&place);
    std::fs::rename(&fresh, &place).map_err(|e| Missing::Broken(format!("replace {}: {e}", place.display())))?;
    println!("the bench for Python {version} is in {}", place.display());
    Ok(())
}

/// Test the module that is installed, or the one in a folder.
fn pytest(root: &Path, python: &Path, folder: Option<&Path>) -> Result<(), Missing> {
    let mut pytest = Command::new(python);
    pytest.args(["-m", "pytest", "-q", "-rs"]).current_dir(root.join("python"));
    pytest.env("AAR_BIN", root.join("target/release/aar"));
    if let Some(folder) = folder {
        pytest.env("PYTHONPATH", folder);
    }
    match pytest.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Missing::Broken("pytest found something".to_owned())),
        Err(error) => Err(Missing::Broken(format!("cannot run pytest: {error}"))),
    }
}

fn pip(python: &Path, how: &[&str], paths: &[&Path]) -> Result<(), Missing> {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]).args(how).args(paths);
    said(&mut pip).map(|_| ()).map_err(|why| Missing::Here(format!("pip could not install: {why}")))
}

/// What a command printed, or the last line of what it complained of.
fn said(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let Output { status, stdout, stderr } = command.output().map_err(|e| format!("{name}: {e}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    match status.success() {
        true => Ok(text(&stdout)),
        false => Err(text(&stderr).lines().last().unwrap_or("it failed without a word").to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_a_skip_and_what_breaks_a_failure() {
        let dir = std::env::temp_dir().join(format!("xtask-wheel-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        assert!(matches!(environment(&dir), Err(Missing::Broken(why)) if why.contains("requirements.txt")));
        std::fs::remove_dir_all(&dir).unwrap();
        let here = pip(Path::new("/nowhere/python"), &["install"], &[]);
        assert!(matches!(here, Err(Missing::Here(why)) if why.contains("/nowhere/python")));
    }

    #[test]
    fn a_complaint_is_its_last_line() {
        let shell = |script: &str| said(Command::new("sh").args(["-c", script]));
        assert_eq!(shell("echo 3.11 True"), Ok("3.11 True".to_owned()));
        assert_eq!(shell("echo a >&2; echo b >&2; exit 1"), Err("b".to_owned()));
    }
}
