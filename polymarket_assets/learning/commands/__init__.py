"""What people ask of learning at a command line: train without Dagster, score any lake with any model, judge what was said."""
