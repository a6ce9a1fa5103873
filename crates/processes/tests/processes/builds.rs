//! Cases that need a build of their own: a program whose panics abort, and a library that is opened
//! late.

use crate::{pool_of, works};
use kernel::{Executor, Ran, TaskErrorKind};
use one_change_tests::surroundings::program;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// With `panic = "abort"` nothing can be caught: a panic costs its worker, and still only its item.
///
/// Cargo builds all tests with unwinding, whatever the profile says. So the program is an example,
/// built here once more with the compiler's option. The libraries that it uses, the standard
/// library included, are the ones built already.
pub fn panics_that_abort() {
    let output = aborting("panic-abort").env("RUST_BACKTRACE", "0").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let start = "panics abort\n1\nitem 2: worker B (pid ";
    let error = text.strip_prefix(start).and_then(|rest| rest.strip_suffix("\n2\n[3, 4]\n"));
    let error = error.unwrap_or_else(|| panic!("{text}"));
    // The panic's text and place reach the error, and standard error.
    let said = "it had panicked: assertion `left != right` failed: no luck with 13\n";
    assert!(
        error.contains(&format!("was killed by SIGABRT while it ran this item; {said}")),
        "{error}"
    );
    assert!(error.contains(", at ") && error.contains("examples/panic-abort.rs:"), "{error}");
    assert!(error.ends_with("; did the item run? unknown"), "{error}");
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(
        printed.contains("no luck with 13") && printed.contains("panic-abort.rs:"),
        "{printed}"
    );
}

/// The fault matrix in such a build: a panic is one more way to die.
pub fn the_matrix_where_panics_abort() {
    matrix_where_panics_abort("matrix");
}

/// The same for the pool whose tests these are, by the name of its example.
pub fn matrix_where_panics_abort(example: &str) {
    let output = aborting(example).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("panics abort\n"), "{text}");
    assert!(output.status.success(), "{text}");
    assert!(text.contains("30 passed"), "{text}");
}

/// The example of the package whose tests these are, built with panics that abort, and not started
/// yet.
fn aborting(example: &str) -> Command {
    let built = program(env!("CARGO"))
        .args(["rustc", "--offline", "--message-format", "json-render-diagnostics"])
        .args([
            "--package",
            env!("CARGO_PKG_NAME"),
            "--example",
            example,
            "--",
            "-C",
            "panic=abort",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    let (json, text) =
        (String::from_utf8_lossy(&built.stdout), String::from_utf8_lossy(&built.stderr));
    assert!(built.status.success(), "{text}");
    let path = json.split("\"executable\":\"").nth(1).and_then(|rest| rest.split('"').next());
    program(path.expect("a program is built"))
}

/// A function from a library that was opened after the start runs in the program, but no worker has
/// it.
pub fn a_library_that_is_opened_late() {
    let folder = tempfile::tempdir().unwrap();
    let library = late_library(folder.path());
    let pool = pool_of(2);
    let path = std::ffi::CString::new(library.to_str().unwrap()).unwrap();
    // SAFETY: the path is a C string, and opening the library runs nothing of it.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
    assert!(!handle.is_null());
    // SAFETY: the handle is open, and the name is a C string.
    let address = unsafe { libc::dlsym(handle, c"three_times".as_ptr()) };
    assert!(!address.is_null());
    // SAFETY: this is the function's signature, and the same compiler has built program and
    // library.
    let three_times = unsafe { std::mem::transmute::<*mut libc::c_void, fn(u64) -> u64>(address) };
    assert_eq!(three_times(14), 42, "it is there");
    for error in pool.map_each(three_times, vec![1, 2]).into_iter().map(Result::unwrap_err) {
        assert!(matches!(error.kind(), TaskErrorKind::NotInTemplate), "{error}");
        assert_eq!(error.ran(), Ran::No);
    }
    works(&pool);
}

/// Builds the library with the compiler that has built this test.
fn late_library(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/late-library.rs");
    let library = folder.join("liblate.so");
    let compiler = Path::new(env!("CARGO")).with_file_name("rustc");
    let compiler = if compiler.exists() { compiler } else { PathBuf::from("rustc") };
    let built = program(env::var_os("RUSTC").unwrap_or(compiler.into()))
        .args(["--edition", "2024", "--crate-type", "cdylib", "-C", "panic=abort", "-o"])
        .args([&library, &source])
        .output()
        .expect("the compiler starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    assert!(fs::exists(&library).unwrap());
    library
}
