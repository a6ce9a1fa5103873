//! Which addresses are code of the program itself.
//!
//! A function crosses to a worker as its address. An address is sound only if the worker has the
//! same code at the same place. A forked worker has the same code, because a fork is a copy, but
//! the copy holds only what was there at the fork: a library opened later lies in this process
//! alone, and its addresses may mean anything or nothing in a worker. So an address is checked
//! before it is sent, against the one part of memory that no program changes while it runs: the
//! executable segments of its own file.

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::sync::LazyLock;

/// Where the program's own code lies. The place is looked up before the first fork, so workers have
/// it too.
static IMAGE: LazyLock<Image> = LazyLock::new(Image::of_this_program);

/// Whether this is the address of the program's own code.
pub fn has_code_at(address: usize) -> bool {
    IMAGE.has_code_at(address)
}

/// The executable segments of the main program.
#[derive(Debug, Default)]
struct Image {
    segments: Vec<Range<usize>>,
}

impl Image {
    /// The main program's segments as the loader placed them (`dl_iterate_phdr(3)`).
    fn of_this_program() -> Self {
        let mut image = Self::default();
        let data: *mut Self = &mut image;
        // SAFETY: `first_object` has the signature that is asked for, and `data` points to an
        // `Image` that lives, and is used by nobody else, until the call is over.
        unsafe { libc::dl_iterate_phdr(Some(first_object), data.cast()) };
        image
    }

    fn has_code_at(&self, address: usize) -> bool {
        self.segments.iter().any(|segment| segment.contains(&address))
    }
}

/// Notes the segments of one loaded object and asks for no other: the first object is the program.
///
/// Shared libraries are left out, even those that were there from the start, because a program can
/// close a library and open another at the same place.
unsafe extern "C" fn first_object(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `data` is what `of_this_program` passed: a pointer to its `Image`, used only here.
    let image = unsafe { &mut *data.cast::<Image>() };
    // SAFETY: the loader passes a valid description of an object.
    let info = unsafe { &*info };
    // SAFETY: the description's headers are an array of this length, valid during the callback.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    for header in headers {
        if header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0 {
            let start = (info.dlpi_addr + header.p_vaddr) as usize;
            image.segments.push(start..start + header.p_memsz as usize);
        }
    }
    1 // anything but zero ends the iteration
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_functions_are_in_it_and_nothing_else_is() {
        let image = Image::of_this_program();
        assert!(image.has_code_at(Image::of_this_program as *const () as usize));
        assert!(!image.has_code_at(0));
        assert!(!image.has_code_at(&raw const image as usize), "the stack");
        // (Some linkers put constants beside the code.)
        static DATA: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(7);
        assert!(!image.has_code_at(&raw const DATA as usize), "data");
        // A function of the C library, linked dynamically as on glibc. (On a static target the
        // function would be in the program.)
        #[cfg(not(target_feature = "crt-static"))]
        assert!(!image.has_code_at(libc::getpid as *const () as usize), "the C library");
    }
}
