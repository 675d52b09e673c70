"""Does a folder keep the data contract: counts, leakage by patient and near-duplicate photograph, masks against photographs."""
