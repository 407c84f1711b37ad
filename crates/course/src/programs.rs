//! Programs that are built from somewhere else than `examples/`: those of the proof, and
//! what learners have handed in.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use contract::Built;
use exercises::Result;
use toml::{Table, Value};

/// Builds these programs, each a name and its source, all at once. For each it returns
/// where it is, or what the compiler says.
///
/// They are in a package of their own, in `target/course/FOLDER`, which has the
/// dependencies of the solutions and shares what is already compiled.
///
/// # Errors
///
/// The package cannot be written, or Cargo cannot be run.
pub(crate) fn build(
    folder: &str,
    programs: &[(String, String)],
) -> Result<BTreeMap<String, Result<PathBuf>>> {
    let root = exercises::root();
    let folder = target().join("course").join(folder);
    write_package(root, &folder, programs).map_err(|error| {
        format!("cannot write a package into {}: {error}", folder.display())
    })?;
    let output = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["build", "--quiet", "--keep-going", "--bins"])
        .args(["--message-format", "json"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", target())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;

    let mut built = Built::read(&output.stdout);
    let outcome = programs.iter().map(|(name, _)| {
        let outcome = match (built.programs.remove(name), built.errors.remove(name))
        {
            (Some(program), _) => Ok(program),
            (None, Some(said)) => Err(said),
            // It is not this program that does not compile.
            (None, None) => {
                Err(String::from_utf8_lossy(&output.stderr).into_owned())
            }
        };
        (name.clone(), outcome)
    });
    Ok(outcome.collect())
}

/// Where Cargo builds: this program is there too.
fn target() -> PathBuf {
    let this = env::current_exe().unwrap_or_default();
    let debug = this.parent().and_then(Path::parent);
    debug.map_or_else(|| exercises::root().join("target"), Path::to_path_buf)
}

fn write_package(
    root: &Path,
    folder: &Path,
    programs: &[(String, String)],
) -> Result<(), Box<dyn std::error::Error>> {
    let bin = folder.join("src/bin");
    fs::create_dir_all(&bin)?;
    // What was there before must not be built again.
    for old in fs::read_dir(&bin)? {
        let old = old?.path();
        let name = old.file_stem().map(|stem| stem.to_string_lossy());
        if !programs.iter().any(|(one, _)| name.as_deref() == Some(one)) {
            fs::remove_file(old)?;
        }
    }
    write(&folder.join("Cargo.toml"), &manifest(root)?)?;
    // The versions that everything else has been built with.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    for (name, source) in programs {
        write(&bin.join(name).with_extension("rs"), source)?;
    }
    Ok(())
}

/// Writes a file, unless it is the same already: Cargo would take it for new.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    match fs::read_to_string(path) {
        Ok(now) if now == text => Ok(()),
        _ => fs::write(path, text),
    }
}

/// The manifest of the package: the dependencies of the solutions, in the versions and
/// with the profiles of the workspace.
fn manifest(root: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let table = |path: &str| -> Result<Table, Box<dyn std::error::Error>> {
        Ok(fs::read_to_string(root.join(path))?.parse()?)
    };
    let workspace = table("Cargo.toml")?;
    let solutions = table("crates/exercises/solutions/Cargo.toml")?;
    let versions = &workspace["workspace"]["dependencies"];
    let mut dependencies = Table::new();
    for name in solutions["dependencies"]
        .as_table()
        .into_iter()
        .flat_map(Table::keys)
    {
        let mut version = versions[name.as_str()].clone();
        if let Some(path) = version.get_mut("path") {
            let absolute = root.join(path.as_str().unwrap_or_default());
            *path = absolute.to_string_lossy().into_owned().into();
        }
        dependencies.insert(name.clone(), version);
    }
    let mut package = Table::new();
    package.insert("name".into(), "programs".into());
    package.insert("version".into(), "0.0.0".into());
    let edition = workspace["workspace"]["package"]["edition"].clone();
    package.insert("edition".into(), edition);
    let mut manifest = Table::new();
    manifest.insert("package".into(), Value::Table(package));
    manifest.insert("dependencies".into(), Value::Table(dependencies));
    manifest.insert("profile".into(), workspace["profile"].clone());
    // Not a member of the workspace above it.
    manifest.insert("workspace".into(), Value::Table(Table::new()));
    Ok(manifest.to_string())
}
