"""Fits the number of bikes rented in an hour."""

import json
import os
from pathlib import Path

print("reading the data", flush=True)

import joblib
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

NUMBERS = ["hr", "holiday", "weekday", "workingday", "temp", "atemp", "hum", "windspeed"]
WEATHER = ["clear", "cloudy/misty", "light rain/snow", "heavy rain/snow"]

params = {"max_depth": 4, "max_iter": 100} | json.loads(os.environ["LIFECYCLE_PARAMS"])
rows = pd.read_parquet(os.environ["LIFECYCLE_DATA"])
print(f"{len(rows)} rows, parameters {params}", flush=True)

columns = make_column_transformer(
    ("passthrough", NUMBERS),
    (OrdinalEncoder(categories=[WEATHER], handle_unknown="use_encoded_value", unknown_value=-1), ["weathersit"]),
)
model = make_pipeline(columns, HistGradientBoostingRegressor(random_state=0, **params))
features = rows[[*NUMBERS, "weathersit"]]
model.fit(features, rows["bikers"])
print(f"fitted; R2 on the rows of the training: {model.score(features, rows['bikers']):.3f}", flush=True)
joblib.dump(model, Path(os.environ["LIFECYCLE_OUTPUT"]) / "model.joblib")
