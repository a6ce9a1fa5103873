//! What a lesson says about itself.

/// A lesson's own words, told once: the head and foot of its output, the box of its chapter and
/// its row in the README all read them from here.
///
/// Each lesson's package has a library `lesson_N` with `pub const LESSON: Lesson`. Nothing here
/// lists the lessons: who needs several of them depends on their libraries.
///
/// The texts are plain, without markup. Every field is one line, but for [`remember`](Self::remember).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// The lesson's number, as in `just lesson-4`.
    pub number: u32,
    /// The name of its folder and chapter: `processes`.
    pub name: &'static str,
    /// The question that it answers, with its question mark.
    pub question: &'static str,
    /// How long it takes to read, run and try, in minutes.
    pub minutes: u32,
    /// What you need for it: earlier lessons, tools, a system.
    pub needs: &'static str,
    /// What you will learn: three phrases that go on after "You will learn".
    pub learn: [&'static str; 3],
    /// What people get wrong, as they would say it themselves.
    pub misconception: &'static str,
    /// What to remember: one sentence a line, at most 66 characters each.
    pub remember: &'static str,
    /// What to type next.
    pub next: &'static str,
}
