//! The architecture, as a table that is enforced: a module may import only from the layers above it in the table.
use std::path::{Path, PathBuf};

/// The layers, lowest first, with what each is for. This table is the architecture document.
const LAYERS: [(&str, &str); 12] = [
    (
        "kernel",
        "statistics: slices and profiles in, numbers out; std and numeric crates only",
    ),
    (
        "error",
        "the crate's error; the one place that maps it to and from DataFusion's",
    ),
    ("suggest", "the nearest valid name, for errors"),
    (
        "options",
        "the configuration extension `monitor.*`, as data",
    ),
    (
        "accumulate",
        "Arrow glue: a kernel summary becomes the row and the grouped accumulator",
    ),
    ("functions", "SQL functions over the kernel; the registry"),
    ("chunk", "chunk arguments become key expressions"),
    (
        "relation",
        "table functions: named arguments, relation arguments, logical plans",
    ),
    (
        "session",
        "assembly of a session: configuration, limits, object stores",
    ),
    ("sink", "tables that deliver alerts"),
    ("report", "runs a report file and renders it"),
    ("cli", "the program: REPL and one-shot commands"),
];

/// What the kernel may import; everything else would tie the statistics to an engine, a clock, or a machine.
const KERNEL_CRATES: [&str; 9] = [
    "std",
    "core",
    "pulp",
    "statrs",
    "xxhash_rust",
    "crc32fast",
    "crate",
    "super",
    "self",
];
const KERNEL_NEVER: [&str; 8] = [
    "datafusion",
    "arrow",
    "tokio",
    "futures",
    "std::fs",
    "std::env",
    "std::net",
    "std::time",
];

const LONGEST_FILE: usize = 500;

struct Source {
    path: PathBuf,
    /// Without comments and without the contents of string literals.
    code: String,
    text: String,
}

impl Source {
    /// `src/kernel/pava.rs` is `["kernel", "pava"]`; `mod.rs` names its folder.
    fn module(&self) -> Vec<String> {
        let inside = self
            .path
            .strip_prefix(root().join("src"))
            .expect("a path under src");
        let mut parts: Vec<String> = inside
            .with_extension("")
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        parts.pop_if(|last| last == "mod" || last == "lib");
        parts
    }

    fn name(&self) -> String {
        let inside = self.path.strip_prefix(root()).unwrap_or(&self.path);
        inside.display().to_string()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<Source> {
    let mut found = vec![];
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).expect("a UTF-8 source file");
                let code = strip(&text);
                found.push(Source { path, code, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Drops comments and empties string literals, so that what is left is code.
fn strip(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let at = |i: usize| letters.get(i).copied().unwrap_or('\0');
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < letters.len() {
        match (at(i), at(i + 1)) {
            ('/', '/') => i = find(&letters, i, "\n"),
            ('/', '*') => i = find(&letters, i, "*/") + 2,
            // a quote as a character is not the start of a string
            ('\'', '"') if at(i + 2) == '\'' => i += 3,
            ('r', '#') if at(i + 2) == '"' => {
                i = find(&letters, i + 3, "\"#") + 2;
                out.push_str("\"\"");
            }
            ('"', _) => {
                i = string_end(&letters, i + 1);
                out.push_str("\"\"");
            }
            (letter, _) => {
                out.push(letter);
                i += 1;
            }
        }
    }
    out
}

fn find(letters: &[char], from: usize, what: &str) -> usize {
    let what: Vec<char> = what.chars().collect();
    let rest = letters.get(from..).unwrap_or_default();
    let found = rest.windows(what.len()).position(|w| w == what);
    found.map_or(letters.len(), |offset| from + offset)
}

fn string_end(letters: &[char], mut i: usize) -> usize {
    while i < letters.len() && letters[i] != '"' {
        i += if letters[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|w| !w.is_empty())
}

/// First path segments after every `prefix::` in the code, looking into `{a, b::c}` as well.
fn segments(code: &str, prefix: &str) -> Vec<String> {
    let mut found = vec![];
    for (start, _) in code.match_indices(prefix) {
        let before = code[..start].chars().next_back().unwrap_or(' ');
        if before.is_alphanumeric() || before == '_' || before == ':' {
            continue;
        }
        let rest = &code[start + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_heads(group)),
            None => found.extend(words(rest).next().map(str::to_string)),
        }
    }
    found
}

fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut head) = (1, vec![], String::new());
    for letter in group.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && letter == ',') {
            heads.extend(words(&head).next().map(str::to_string));
            head.clear();
        } else {
            head.push(letter);
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|(name, _)| *name == layer)
}

/// Layers that the file names: by `crate::`, or by climbing out of its own with `super::`.
fn imports(source: &Source) -> Vec<String> {
    let mut named = segments(&source.code, "crate::");
    let climb = "super::".repeat(source.module().len());
    named.extend(segments(&source.code, &climb));
    named.retain(|name| rank(name).is_some());
    named
}

#[test]
fn every_module_belongs_to_a_layer() {
    for source in sources("src") {
        let module = source.module();
        let Some(layer) = module.first() else {
            continue;
        };
        assert!(
            layer == "main" || rank(layer).is_some(),
            "{}: `{layer}` is not in the table of layers",
            source.name()
        );
    }
}

#[test]
fn imports_point_down() {
    let mut seen = 0;
    for source in sources("src") {
        let Some(layer) = source.module().first().and_then(|l| rank(l)) else {
            continue;
        };
        for import in imports(&source) {
            seen += 1;
            let target = rank(&import).expect("kept layers only");
            assert!(
                target <= layer,
                "{}: layer `{}` must not import `{import}`, which lies above it",
                source.name(),
                LAYERS[layer].0
            );
        }
    }
    assert!(seen > 0, "no import was read: the reader is broken");
}

#[test]
fn the_kernel_is_pure() {
    let files: Vec<Source> = sources("src/kernel");
    assert!(!files.is_empty());
    for source in files {
        for line in source.code.lines() {
            let line = line.trim_start().trim_start_matches("pub ");
            let Some(path) = line.strip_prefix("use ") else {
                continue;
            };
            let head = words(path).next().unwrap_or_default();
            // `pub use error::KernelError` in a mod.rs names a sibling
            let sibling = source.path.with_file_name(format!("{head}.rs")).exists()
                || source.path.with_file_name(head).is_dir();
            // variants of a type that is in scope already
            let variants = head.starts_with(char::is_uppercase);
            // in the proptest module of a file; the dependency exists in tests only
            let tests_only = head == "proptest";
            assert!(
                KERNEL_CRATES.contains(&head) || sibling || variants || tests_only,
                "{}: the kernel must not import `{head}`",
                source.name()
            );
        }
        for never in KERNEL_NEVER {
            let path = format!("{never}::");
            assert!(
                !source.code.contains(&path),
                "{}: the kernel must not name `{never}`",
                source.name()
            );
        }
    }
}

#[test]
fn the_program_only_calls_the_cli() {
    for source in sources("src")
        .iter()
        .filter(|s| s.path.ends_with("src/main.rs"))
    {
        for name in segments(&source.code, "modelwatch::") {
            assert_eq!(name, "cli", "src/main.rs calls into `{name}`");
        }
    }
}

#[test]
fn files_stay_short() {
    for source in ["src", "tests", "examples", "benches"]
        .iter()
        .flat_map(|f| sources(f))
    {
        let lines = source.text.lines().count();
        assert!(
            lines <= LONGEST_FILE,
            "{} has {lines} lines; split it at {LONGEST_FILE}",
            source.name()
        );
    }
}

/// SQL is built from expressions and plans: an identifier glued into text is an injection.
#[test]
fn no_sql_is_glued_together() {
    let verbs = ["SELECT ", "INSERT ", "CREATE ", "FROM "];
    for source in sources("src") {
        for (start, _) in source.text.match_indices("format!(") {
            let call = &source.text[start..];
            let literal = call.split('"').nth(1).unwrap_or_default();
            let glued = literal.contains('{') && verbs.iter().any(|verb| literal.contains(verb));
            assert!(!glued, "{}: SQL by format!: {literal}", source.name());
        }
    }
}

#[test]
fn the_reader_sees_through_comments_strings_and_groups() {
    let code = strip(
        "// crate::cli\nlet s = \"crate::sink\"; /* crate::report */ use crate::{kernel::{a, b}, error};",
    );
    assert_eq!(segments(&code, "crate::"), ["kernel", "error"]);
    assert_eq!(
        segments("use super::super::cli::run;", "super::super::"),
        ["cli"]
    );
    assert_eq!(
        segments("other_crate::cli", "crate::"),
        Vec::<String>::new()
    );
}
