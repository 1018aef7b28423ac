"""`make bench`: every measurement, each a table of ratios from one run."""

from benchmarks import startup

if __name__ == "__main__":
    startup.main()
