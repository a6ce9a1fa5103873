//! What the checks around postcard cost: `cargo run --release -p fork-server --example codec`.
//!
//! Each value is written and read in turn by postcard alone and by `fork_server::codec`, and the
//! table has the medians. Counted is the time that the thread ran, so that other programs disturb
//! less. The buffer is kept, as a worker keeps it.

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(target_os = "linux")]
mod linux {
    use fork_server::{codec, large};
    use postcard::ser_flavors::Flavor;
    use serde::{Deserialize, Serialize, de::DeserializeOwned};
    use serde_bytes::ByteBuf;
    use std::hint::black_box;
    use std::time::Duration;

    const LIMIT: usize = 1 << 30;

    /// The output that the pools gave to postcard before the codec.
    struct Body(Vec<u8>);

    impl Flavor for Body {
        type Output = Vec<u8>;

        fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
            self.try_extend(&[byte])
        }

        fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
            if self.0.len() + bytes.len() > LIMIT {
                return Err(postcard::Error::SerializeBufferFull);
            }
            large::reserve(&mut self.0, bytes.len());
            self.0.extend_from_slice(bytes);
            Ok(())
        }

        fn finalize(self) -> postcard::Result<Vec<u8>> {
            Ok(self.0)
        }
    }

    #[derive(Serialize, Deserialize)]
    struct Row {
        id: u64,
        place: u32,
        weight: f64,
        name: String,
        note: Option<u16>,
    }

    #[derive(Serialize, Deserialize)]
    struct Numbers {
        a: u64,
        b: u32,
        c: f64,
        d: i16,
        e: bool,
    }

    #[derive(Serialize, Deserialize)]
    enum Signal {
        Start,
        Stop,
        Pause,
    }

    #[derive(Serialize, Deserialize)]
    enum Figure {
        Point,
        Circle(f64),
        Rectangle { width: f64, height: f64 },
        Text(String, u8),
    }

    fn median(mut times: Vec<f64>) -> f64 {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }

    /// How long this thread has run.
    fn now() -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the kernel writes the time into a place that outlives the call.
        unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    /// The nanoseconds of one run.
    fn timed<R>(repeat: u32, run: &mut dyn FnMut() -> R) -> f64 {
        let begin = now();
        for _ in 0..repeat {
            black_box(run());
        }
        (now() - begin).as_nanos() as f64 / f64::from(repeat)
    }

    fn row<T: Serialize + DeserializeOwned>(name: &str, value: &T) {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        let mut plain = || {
            let mut buffer = std::mem::take(&mut one);
            buffer.clear();
            one = postcard::serialize_with_flavor(black_box(value), Body(buffer)).unwrap();
        };
        let mut checked = || {
            let mut buffer = std::mem::take(&mut other);
            buffer.clear();
            other = codec::write(black_box(value), buffer, LIMIT).unwrap();
        };
        plain();
        let once = timed(1, &mut plain).max(10.0);
        checked();
        let repeat = (200_000.0 / once).max(1.0) as u32;
        let rounds = (3e8 / once / f64::from(repeat)).clamp(11.0, 501.0) as u32;
        let mut times = [const { Vec::new() }; 4];
        for _ in 0..rounds {
            times[0].push(timed(repeat, &mut plain));
            times[1].push(timed(repeat, &mut checked));
        }
        let mut plain = || postcard::take_from_bytes::<T>(black_box(&one)).unwrap().0;
        let mut checked = || codec::read::<T>(black_box(&other)).unwrap();
        for _ in 0..rounds {
            times[2].push(timed(repeat, &mut plain));
            times[3].push(timed(repeat, &mut checked));
        }
        let [a, b, c, d] = times.map(median);
        println!(
            "{name:22} {:>11} {a:>12.1} {b:>12.1} {:>6.2} {c:>12.1} {d:>12.1} {:>6.2}",
            other.len(),
            b / a,
            d / c
        );
    }

    pub fn main() {
        println!(
            "{:22} {:>11} {:>12} {:>12} {:>6} {:>12} {:>12} {:>6}",
            "value", "bytes", "write, ns", "checked", "ratio", "read, ns", "checked", "ratio"
        );
        let many = 0..100_000_u64;
        row("u64", &123_456_789_u64);
        row("(u64, u64)", &(123_456_789_u64, 987_654_321_u64));
        row("String", &"a text of some forty letters, not more.".to_owned());
        row("Vec<u64>, 1e6", &(0..1_000_000).map(|n: u64| n * n).collect::<Vec<_>>());
        row("bytes, 1 MiB", &ByteBuf::from(vec![7; 1 << 20]));
        row("bytes, 64 MiB", &ByteBuf::from(vec![7; 64 << 20]));
        row("Vec<u8>, 1 MiB", &vec![7_u8; 1 << 20]);
        row("Vec<String>, 1e5", &many.clone().map(|n| format!("text {n}")).collect::<Vec<_>>());
        row("Vec<(u64, u64)>, 1e5", &many.clone().map(|n| (n, n * n)).collect::<Vec<_>>());
        let numbers = |n| Numbers { a: n, b: n as u32, c: n as f64, d: -3, e: n % 3 == 0 };
        row("Vec<Numbers>, 1e5", &many.clone().map(numbers).collect::<Vec<_>>());
        let rows = |n| Row {
            id: n,
            place: n as u32 % 1000,
            weight: n as f64 / 3.0,
            name: format!("row {n}"),
            note: (n % 2 == 0).then_some(n as u16),
        };
        row("Vec<Row>, 1e5", &many.clone().map(rows).collect::<Vec<_>>());
        let signals = |n| match n * 2_654_435_761 % 3 {
            0 => Signal::Start,
            1 => Signal::Stop,
            _ => Signal::Pause,
        };
        row("Vec<Signal>, 1e5", &many.clone().map(signals).collect::<Vec<_>>());
        let figures = |n: u64| match n * 2_654_435_761 % 4 {
            0 => Figure::Point,
            1 => Figure::Circle(n as f64),
            2 => Figure::Rectangle { width: 1.0, height: n as f64 },
            _ => Figure::Text(format!("text {n}"), 1),
        };
        row("Vec<Figure>, 1e5", &many.map(figures).collect::<Vec<_>>());
    }
}
