"""Systems beyond images: tables, voxels, points, video, audio, showers and control."""
