//! What the crate is built from: the crate registry only, permissive licences only, one arrow, one datafusion.
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Licences under which a dependency may come; an expression must be satisfiable from these.
const PERMISSIVE: [&str; 15] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "bzip2-1.0.6",
];

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Two versions of these would not share types.
const ONCE: [&str; 6] = [
    "arrow",
    "arrow-array",
    "datafusion",
    "datafusion-common",
    "parquet",
    "sqlparser",
];

/// Packages of this platform, with their licences; those of others need not be at hand.
fn packages() -> Vec<Value> {
    let cargo = env!("CARGO");
    let version = Command::new("rustc")
        .arg("-vV")
        .output()
        .expect("rustc runs");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("a host");
    let arguments = [
        "metadata",
        "--locked",
        "--offline",
        "--format-version",
        "1",
        "--filter-platform",
        host,
    ];
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    metadata["packages"].as_array().cloned().expect("packages")
}

/// `(name, version, source)` of every package in the lock file, all platforms.
fn locked() -> Vec<(String, String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    let text = std::fs::read_to_string(path).expect("Cargo.lock");
    let field = |package: &str, name: &str| {
        let start = format!("{name} = \"");
        let line = package.lines().find_map(|line| line.strip_prefix(&start));
        line.map(|rest| rest.trim_end_matches('"').to_string())
            .unwrap_or_default()
    };
    let packages = text.split("[[package]]").skip(1);
    packages
        .map(|p| (field(p, "name"), field(p, "version"), field(p, "source")))
        .collect()
}

/// True when one alternative of the expression consists of allowed licences only.
fn permitted(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], " ");
    let allowed = |licence: &str| PERMISSIVE.contains(&licence.trim());
    // AND binds tighter; brackets around an OR inside an AND only make this check stricter
    expression
        .split(" OR ")
        .any(|option| option.split(" AND ").all(allowed))
}

#[test]
fn every_package_comes_from_the_registry() {
    let packages = locked();
    assert!(packages.len() > 100);
    for (name, version, source) in packages {
        let own = name == env!("CARGO_PKG_NAME");
        assert!(
            own || source == REGISTRY,
            "{name} {version} comes from '{source}'"
        );
    }
}

#[test]
fn every_licence_is_permissive() {
    let packages = packages();
    assert!(packages.len() > 100);
    let refused: Vec<String> = packages
        .iter()
        .filter(|p| !permitted(p["license"].as_str().unwrap_or_default()))
        .map(|p| format!("{} {}: {}", p["name"], p["version"], p["license"]))
        .collect();
    assert!(
        refused.is_empty(),
        "not on the list:\n{}",
        refused.join("\n")
    );
}

#[test]
fn types_that_cross_crates_exist_once() {
    let packages = locked();
    for name in ONCE {
        let versions: BTreeSet<&str> = packages
            .iter()
            .filter(|(n, ..)| n == name)
            .map(|(_, version, _)| version.as_str())
            .collect();
        assert_eq!(versions.len(), 1, "{name}: {versions:?}");
    }
}

#[test]
fn expressions_are_read() {
    for yes in [
        "MIT",
        "MIT OR GPL-3.0",
        "MIT/Apache-2.0",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
    ] {
        assert!(permitted(yes), "{yes}");
    }
    for no in ["", "GPL-3.0", "MIT AND GPL-3.0", "LGPL-2.1 OR MPL-2.0"] {
        assert!(!permitted(no), "{no}");
    }
}
